// Package layout says under which keys what is ours stands in etcd, and in which
// form. Nobody else spells a prefix.
package layout

import (
	"fmt"
	"strings"
)

// Layout is where our keys are. The zero value is go-micro v2's. Everything of a
// namespace lies apart from everything of every other one.
type Layout struct {
	// Namespace puts "/Namespace" before every key, "" nothing.
	Namespace string
}

// Check returns why the namespace cannot be used, nil if it can.
func (l Layout) Check() error {
	allowed := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r)
	}
	n := l.Namespace
	if strings.ContainsFunc(n, func(r rune) bool { return !allowed(r) }) || n == "." || n == ".." {
		return fmt.Errorf("use namespace %q: it may have letters, digits, - _ and . only", n)
	}
	return nil
}

// Services returns the prefix of the records of all services.
func (l Layout) Services() string { return l.Root() + "/micro/registry/" }

// Service returns the prefix of the records of all nodes of a service.
func (l Layout) Service(name string) string { return l.Services() + segment(name) + "/" }

// Node returns the key of a node's record. Names that differ only in "/" and "-"
// share one key; what a record is about is said by its value.
func (l Layout) Node(service, node string) string { return l.Service(service) + segment(node) }

// Own returns the prefix of everything that is ours alone. It lies apart from
// Services, which other readers list.
func (l Layout) Own() string { return l.Root() + "/micro/rollcall/" }

// Pauses returns the prefix of the keys by which operators take nodes out.
func (l Layout) Pauses() string { return l.Own() + "pause/" }

// PausesOf returns the prefix of the pause keys of a service.
func (l Layout) PausesOf(service string) string { return l.Pauses() + segment(service) + "/" }

// Pause returns the key whose presence keeps the node out of the registry.
func (l Layout) Pause(service, node string) string { return l.PausesOf(service) + segment(node) }

// Root returns what stands before every key of the namespace.
func (l Layout) Root() string {
	if l.Namespace == "" {
		return ""
	}
	return "/" + l.Namespace
}

func segment(name string) string {
	return strings.ReplaceAll(name, "/", "-")
}
