package registrytest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

// oddNames are names that a backend with paths or labels might mix up.
var oddNames = []string{
	"go.micro.service.greeter", "go.micro.service", "go", "服务", "服", "with space",
	"a-b", "a/b", "a_b", "A-B", "a", "a-b-c", "%2f", "x*", "...",
}

// names registers services with odd names: each stays itself.
func (s *suite) names(t *testing.T) {
	r := s.open(t)
	var names []string
	for _, name := range oddNames {
		if !slices.Contains(s.refuses, name) {
			names = append(names, name)
			continue
		}
		if err := r.Register(service(name, "1", "a")); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", name)) {
			t.Errorf("register %q, which the backend is said to refuse: got error %v, want one that quotes the name", name, err)
		}
		s.says(r, "name", fmt.Sprintf("the backend carries no service named %q", name))
	}
	for i, name := range names {
		mustRegister(t, r, service(name, "1", fmt.Sprintf("节点.%d", i)))
	}
	for i, name := range names {
		s.holds(t, r, name, service(name, "1", fmt.Sprintf("节点.%d", i)))
	}
	for _, name := range names[:len(names)/2] {
		mustDeregister(t, r, service(name, "1", "不在"))
	}
	for i, name := range names {
		mustDeregister(t, r, service(name, "1", fmt.Sprintf("节点.%d", i)))
		s.holds(t, r, name)
	}
}

// longNames registers services and nodes with long names. One of up to 63 bytes, the
// length of a label in DNS, is taken; a longer one is taken whole or refused, never
// cut.
func (s *suite) longNames(t *testing.T) {
	r := s.open(t)
	for _, length := range []int{63, 64, 300, 1000} {
		long := strings.Repeat("n", length)
		for _, one := range []*registry.Service{service(long, "1", "a"), service("long", "1", long)} {
			what := "service name"
			if one.Name == "long" {
				what = "node id"
			}
			err := r.Register(one)
			switch {
			case err == nil:
				s.holds(t, r, one.Name, one)
				mustDeregister(t, r, one)
			case length <= 63:
				t.Errorf("register a %s of %d bytes: %v", what, length, err)
			case !strings.Contains(err.Error(), long[:20]):
				t.Errorf("register a %s of %d bytes: got error %v, want one that shows it", what, length, err)
			default:
				s.says(r, "name", fmt.Sprintf("the backend carries no %s of %d bytes", what, length))
			}
			s.holds(t, r, "long")
		}
	}
}

func (s *suite) badInput(t *testing.T) {
	r := s.open(t)
	node := &registry.Node{Id: "n", Address: "10.0.0.1:1"}
	type input struct {
		what  string
		s     *registry.Service
		quote string // what the error must show
	}
	inputs := []input{
		{"nil service", nil, "nil"},
		{"no nodes", &registry.Service{Name: "bad-service"}, `"bad-service"`},
		{"nil node", &registry.Service{Name: "bad-service", Nodes: []*registry.Node{nil}}, `"bad-service"`},
		{"a nil node behind a good one", &registry.Service{Name: "bad-service", Nodes: []*registry.Node{node, nil}}, `"bad-service"`},
		{"empty name", &registry.Service{Nodes: []*registry.Node{node}}, `""`},
		{"empty node id", &registry.Service{Name: "bad-service", Nodes: []*registry.Node{{Address: "h:1"}}}, `"bad-service"`},
		{"one id twice", &registry.Service{Name: "bad-service", Nodes: []*registry.Node{node, {Id: "n", Address: "10.0.0.2:1"}}}, `"n"`},
	}
	for _, bad := range []string{"/", ".", "..", " blank", "blank ", "line\nfeed", "\x1b[1m", "not UTF-8 \xff"} {
		quote := fmt.Sprintf("%q", bad)
		inputs = append(inputs,
			input{"name " + quote, &registry.Service{Name: bad, Nodes: []*registry.Node{node}}, quote},
			input{"node id " + quote, &registry.Service{Name: "bad-service", Nodes: []*registry.Node{{Id: bad, Address: "h:1"}}}, quote})
	}
	for _, in := range inputs {
		for method, call := range map[string]func() error{
			"register":   func() error { return r.Register(in.s) },
			"deregister": func() error { return r.Deregister(in.s) },
		} {
			if err := call(); err == nil || !strings.Contains(err.Error(), in.quote) {
				t.Errorf("%s %s: got error %v, want one that shows %s", method, in.what, err, in.quote)
			}
		}
	}
	for _, name := range []string{"", ".", "..", "/"} {
		if got, err := r.GetService(name); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", name)) {
			t.Errorf("look up %q: got error %v and\n%s\nwant an error that shows the name", name, err, describe(got...))
		}
	}
	if got, err := r.ListServices(); err != nil || len(got) != 0 {
		t.Errorf("after bad input only: got error %v and\n%s\nwant nothing", err, describe(got...))
	}
}
