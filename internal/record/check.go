package record

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rollcall-go/micro/registry"
)

// maxSchemaDepth is how deep the values of an endpoint may be nested. Describing a
// handler stops long before.
const maxSchemaDepth = 32

// Check returns why s cannot be registered or deregistered, nil if it can: it
// needs a name, and at least one node, each with an id of its own.
func Check(s *registry.Service) error {
	if s == nil {
		return errors.New("check the service: it is nil")
	}
	if err := CheckName(s.Name); err != nil {
		return err
	}
	if err := checkContent(s); err != nil {
		return fmt.Errorf("check service %q: %w", s.Name, err)
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

// CheckStored returns why n cannot be a node of s that a registry holds, nil if it can.
// It takes no notice of the nodes of s.
func CheckStored(s *registry.Service, n *registry.Node) error {
	if err := cmp.Or(CheckName(s.Name), checkContent(s)); err != nil {
		return err
	}
	if why := unfit(n.Id); why != "" {
		return fmt.Errorf("node id %q %s", n.Id, why)
	}
	return nil
}

// checkContent returns what is wrong with the version or the endpoints of s.
func checkContent(s *registry.Service) error {
	if why := unprintable(s.Version); why != "" {
		return fmt.Errorf("version %q %s", s.Version, why)
	}
	for _, e := range s.Endpoints {
		if e != nil && (deeper(e.Request, maxSchemaDepth) || deeper(e.Response, maxSchemaDepth)) {
			return fmt.Errorf("endpoint %q describes messages nested deeper than %d", e.Name, maxSchemaDepth)
		}
	}
	return nil
}

// deeper reports whether v has more than the given number of levels.
func deeper(v *registry.Value, levels int) bool {
	if v == nil {
		return false
	}
	if levels == 0 {
		return true
	}
	return slices.ContainsFunc(v.Values, func(inner *registry.Value) bool { return deeper(inner, levels-1) })
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
	if why := unprintable(part); why != "" {
		return why
	}
	if part == "" {
		return "is empty"
	}
	if strings.TrimSpace(part) != part {
		return "begins or ends with a blank"
	}
	switch strings.Trim(part, "/") {
	case "", ".", "..":
		return "names a place in a path, use letters and digits"
	}
	return ""
}

// unprintable says why text would spoil a line that shows it, or the header of a
// call that names it; "" if it would not.
func unprintable(text string) string {
	if !utf8.ValidString(text) {
		return "is not valid UTF-8"
	}
	for _, r := range text {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return fmt.Sprintf("holds %U, a control character", r)
		}
	}
	return ""
}
