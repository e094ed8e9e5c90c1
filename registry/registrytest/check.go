package registrytest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// service makes a version of a service with a node for each id.
func service(name, version string, ids ...string) *registry.Service {
	s := &registry.Service{
		Name:     name,
		Version:  version,
		Metadata: map[string]string{"team": "a"},
		Endpoints: []*registry.Endpoint{{
			Name:     "Greeter.Hello",
			Request:  &registry.Value{Name: "Request", Type: "Request", Values: []*registry.Value{{Name: "name", Type: "string"}}},
			Response: &registry.Value{Name: "Response", Type: "Response"},
			Metadata: map[string]string{"stream": "false"},
		}},
	}
	for i, id := range ids {
		s.Nodes = append(s.Nodes, &registry.Node{
			Id:       id,
			Address:  fmt.Sprintf("10.0.0.%d:8080", i+1),
			Metadata: map[string]string{"zone": "服务"},
		})
	}
	return s
}

// nodesOnly returns s as it adds to another entry of the same version, which has
// the endpoints already.
func nodesOnly(s *registry.Service) *registry.Service {
	s.Endpoints = nil
	return s
}

// describe writes services down so that equal ones read the same: sorted, and
// with nil and empty being one.
func describe(services ...*registry.Service) string {
	var lines []string
	for _, s := range services {
		if s == nil {
			lines = append(lines, "a nil service")
			continue
		}
		for _, n := range s.Nodes {
			if n == nil {
				n = &registry.Node{Id: "a nil node"}
			}
			lines = append(lines, fmt.Sprintf("%q version %q %v node %q at %q %v", s.Name, s.Version, s.Metadata, n.Id, n.Address, n.Metadata))
		}
		for _, e := range s.Endpoints {
			if e == nil {
				e = &registry.Endpoint{Name: "a nil endpoint"}
			}
			lines = append(lines, fmt.Sprintf("%q version %q endpoint %q %v (%s) (%s)", s.Name, s.Version, e.Name, e.Metadata, value(e.Request), value(e.Response)))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// describe writes services down without what the backend does not keep.
func (s *suite) describe(services ...*registry.Service) string {
	if !s.noServiceMetadata {
		return describe(services...)
	}
	kept := slices.Clone(services)
	for i, one := range kept {
		if one != nil {
			without := *one
			without.Metadata = nil
			kept[i] = &without
		}
	}
	return describe(kept...)
}

func value(v *registry.Value) string {
	if v == nil {
		return "none"
	}
	var fields []string
	for _, f := range v.Values {
		fields = append(fields, value(f))
	}
	return fmt.Sprintf("%s %s {%s}", v.Name, v.Type, strings.Join(fields, ", "))
}

func mustRegister(t *testing.T, r registry.Registry, s *registry.Service, opts ...registry.RegisterOption) {
	t.Helper()
	if err := r.Register(s, opts...); err != nil {
		t.Fatalf("register %q: %v", s.Name, err)
	}
}

func mustDeregister(t *testing.T, r registry.Registry, s *registry.Service) {
	t.Helper()
	if err := r.Deregister(s); err != nil {
		t.Fatalf("deregister %q: %v", s.Name, err)
	}
}

// holds checks that a lookup of name finds exactly the wanted services.
func (s *suite) holds(t *testing.T, r registry.Registry, name string, want ...*registry.Service) {
	t.Helper()
	s.settles(t, func() error {
		got, err := r.GetService(name)
		if len(want) == 0 {
			if !errors.Is(err, registry.ErrNotFound) {
				return fmt.Errorf("look up %q: got error %v and\n%s\nwant ErrNotFound", name, err, describe(got...))
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("look up %q: %v", name, err)
		}
		if g, w := s.describe(got...), s.describe(want...); g != w {
			return fmt.Errorf("look up %q: got\n%s\nwant\n%s", name, g, w)
		}
		return inOrder(got)
	})
}

// inOrder returns what is wrong with the order of services: by name, then version, one
// entry for each version, and its nodes by id.
func inOrder(services []*registry.Service) error {
	for i, s := range services {
		if i > 0 {
			before := services[i-1]
			switch order := cmp.Or(strings.Compare(before.Name, s.Name), strings.Compare(before.Version, s.Version)); {
			case order == 0:
				return fmt.Errorf("version %q of %q came twice, want one entry with all its nodes", s.Version, s.Name)
			case order > 0:
				return fmt.Errorf("version %q of %q came before version %q of %q, want them sorted by name, then version", before.Version, before.Name, s.Version, s.Name)
			}
		}
		if !slices.IsSortedFunc(s.Nodes, func(a, b *registry.Node) int { return strings.Compare(a.Id, b.Id) }) {
			return fmt.Errorf("the nodes of version %q of %q came as %q, want them sorted by id", s.Version, s.Name, ids(s))
		}
	}
	return nil
}

// ids returns the ids of the nodes, in order.
func ids(services ...*registry.Service) (ids []string) {
	for _, s := range services {
		for _, n := range s.Nodes {
			ids = append(ids, n.Id)
		}
	}
	return ids
}

// settles fails unless check succeeds: at once, or within the patience where the
// backend is eventual.
func (s *suite) settles(t *testing.T, check func() error) {
	t.Helper()
	within := time.Duration(0)
	if s.eventual {
		within = s.patience
	}
	if err := poll(within, check); err != nil {
		t.Fatal(err)
	}
}

// poll calls check until it succeeds, at least once and at most for the given
// time, and returns its last error.
func poll(within time.Duration, check func() error) error {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil || within == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("not within %v: %w", within, err)
		}
	}
}
