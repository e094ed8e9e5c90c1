package record

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rollcall-go/micro/registry"
)

// Check returns why s cannot be registered or deregistered, nil if it can: it
// needs a name, and at least one node, each with an id of its own.
func Check(s *registry.Service) error {
	if s == nil {
		return errors.New("check the service: it is nil")
	}
	if err := CheckName(s.Name); err != nil {
		return err
	}
	if len(s.Nodes) == 0 {
		return fmt.Errorf("check service %q: it has no nodes, give it at least one", s.Name)
	}
	seen := make(map[string]bool, len(s.Nodes))
	for i, n := range s.Nodes {
		if n == nil {
			return fmt.Errorf("check service %q: node %d of %d is nil", s.Name, i+1, len(s.Nodes))
		}
		if why := unfit(n.Id); why != "" {
			return fmt.Errorf("check service %q: node id %q %s", s.Name, n.Id, why)
		}
		if seen[n.Id] {
			return fmt.Errorf("check service %q: node id %q is there twice, give each node its own", s.Name, n.Id)
		}
		seen[n.Id] = true
	}
	return nil
}

// CheckName returns why name cannot be the name of a service, nil if it can.
func CheckName(name string) error {
	if why := unfit(name); why != "" {
		return fmt.Errorf("check service name %q: it %s", name, why)
	}
	return nil
}

// unfit says why part cannot be an element of a registry's path, "" if it can.
// A slash inside a name is allowed: backends with paths write it as something
// else.
func unfit(part string) string {
	if !utf8.ValidString(part) {
		return "is not valid UTF-8"
	}
	if part == "" {
		return "is empty"
	}
	switch strings.Trim(part, "/") {
	case "", ".", "..":
		return "names a place in a path, use letters and digits"
	}
	return ""
}
