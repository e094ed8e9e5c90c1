package registrytest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

func (s *suite) register(t *testing.T) {
	r := s.open(t)
	if r.String() == "" {
		t.Error("the backend has no name")
	}
	hello := service("hello", "1", "hello-1", "hello-2")
	mustRegister(t, r, hello)
	s.holds(t, r, "hello", hello)

	// Another process adds a node to the same version.
	more := service("hello", "1", "hello-3")
	mustRegister(t, r, more)
	s.holds(t, r, "hello", hello, nodesOnly(more))
}

func (s *suite) versions(t *testing.T) {
	r := s.open(t)
	one, two, none := service("hello", "1", "a", "b"), service("hello", "2", "c"), service("hello", "", "d")
	for _, v := range []*registry.Service{two, one, none} {
		mustRegister(t, r, v)
	}
	s.holds(t, r, "hello", none, one, two)
	mustDeregister(t, r, two)
	s.holds(t, r, "hello", none, one)
}

func (s *suite) replace(t *testing.T) {
	r := s.open(t)
	hello := service("hello", "1", "a")
	mustRegister(t, r, hello)
	s.holds(t, r, "hello", hello)
	for _, change := range []func(*registry.Service){
		func(h *registry.Service) { h.Nodes[0].Address = "10.9.9.9:1" },
		func(h *registry.Service) { h.Nodes[0].Metadata = map[string]string{"zone": "b", "new": "1"} },
		func(h *registry.Service) { h.Nodes[0].Metadata = nil },
		func(h *registry.Service) { h.Endpoints[0].Name = "Greeter.Bye" },
		func(h *registry.Service) { h.Endpoints = nil },
		func(h *registry.Service) { h.Metadata = map[string]string{"team": "b"} },
		func(h *registry.Service) { h.Version = "2" },
	} {
		change(hello)
		mustRegister(t, r, hello)
		s.holds(t, r, "hello", hello)
	}
	mustRegister(t, r, hello) // unchanged
	s.holds(t, r, "hello", hello)
}

func (s *suite) deregister(t *testing.T) {
	r := s.open(t)
	mustRegister(t, r, service("hello", "1", "a", "b"))
	mustRegister(t, r, service("other", "1", "a"))
	only := service("hello", "1", "b")
	left := service("hello", "1", "a")
	mustDeregister(t, r, only)
	s.holds(t, r, "hello", left)
	mustDeregister(t, r, left)
	s.holds(t, r, "hello")
	s.holds(t, r, "other", service("other", "1", "a"))

	// What was deregistered may come back.
	mustRegister(t, r, left)
	s.holds(t, r, "hello", left)
}

func (s *suite) deregisterUnknown(t *testing.T) {
	r := s.open(t)
	mustDeregister(t, r, service("hello", "1", "a"))
	mustRegister(t, r, service("hello", "1", "a"))
	mustDeregister(t, r, service("hello", "1", "b"))
	mustDeregister(t, r, service("other", "1", "a"))
	s.holds(t, r, "hello", service("hello", "1", "a"))
}

func (s *suite) notFound(t *testing.T) {
	r := s.open(t)
	s.holds(t, r, "hello")
	mustRegister(t, r, service("helloworld", "1", "a"))
	s.holds(t, r, "hello")
	s.holds(t, r, "helloworl")
	s.holds(t, r, "Helloworld")
}

func (s *suite) emptyList(t *testing.T) {
	r := s.open(t)
	got, err := r.ListServices()
	if err != nil || len(got) != 0 {
		t.Fatalf("list nothing: got error %v and\n%s", err, describe(got...))
	}
}

func (s *suite) list(t *testing.T) {
	r := s.open(t)
	want := []*registry.Service{
		service("b", "1", "x"), service("a", "2", "y"), service("a", "1", "z"), service("b", "", "v"),
		// The text of name and version together must not decide.
		service("s", "2", "x"), service("s2", "", "x"),
	}
	for _, w := range want {
		mustRegister(t, r, w)
	}
	s.settles(t, func() error {
		got, err := r.ListServices()
		if err != nil {
			return fmt.Errorf("list: %v", err)
		}
		if g, w := describe(got...), describe(want...); g != w {
			return fmt.Errorf("list: got\n%s\nwant\n%s", g, w)
		}
		if !slices.IsSortedFunc(got, func(a, b *registry.Service) int { return strings.Compare(a.Name, b.Name) }) {
			return fmt.Errorf("list: got\n%s\nwant them sorted by name", describe(got...))
		}
		return onePerVersion(got)
	})
}

func (s *suite) names(t *testing.T) {
	r := s.open(t)
	// Names that a backend with paths or labels might mix up: each stays itself.
	names := []string{
		"go.micro.service.greeter", "go.micro.service", "go", "服务", "服", "with space",
		"a-b", "a/b", "a_b", "A-B", "a", "a-b-c", "%2f", "x*", "...",
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

func (s *suite) badInput(t *testing.T) {
	r := s.open(t)
	node := &registry.Node{Id: "n", Address: "10.0.0.1:1"}
	for _, tc := range []struct {
		what  string
		s     *registry.Service
		quote string // what the error must show
	}{
		{"nil service", nil, "nil"},
		{"no nodes", &registry.Service{Name: "bad-service"}, `"bad-service"`},
		{"nil node", &registry.Service{Name: "bad-service", Nodes: []*registry.Node{nil}}, `"bad-service"`},
		{"empty name", &registry.Service{Nodes: []*registry.Node{node}}, `""`},
		{"empty node id", &registry.Service{Name: "bad-service", Nodes: []*registry.Node{{Address: "h:1"}}}, `"bad-service"`},
		{"name /", &registry.Service{Name: "/", Nodes: []*registry.Node{node}}, `"/"`},
		{"name .", &registry.Service{Name: ".", Nodes: []*registry.Node{node}}, `"."`},
		{"name ..", &registry.Service{Name: "..", Nodes: []*registry.Node{node}}, `".."`},
		{"node id ..", &registry.Service{Name: "bad-service", Nodes: []*registry.Node{{Id: "..", Address: "h:1"}}}, `".."`},
	} {
		for method, call := range map[string]func() error{
			"register":   func() error { return r.Register(tc.s) },
			"deregister": func() error { return r.Deregister(tc.s) },
		} {
			if err := call(); err == nil || !strings.Contains(err.Error(), tc.quote) {
				t.Errorf("%s %s: got error %v, want one that shows %s", method, tc.what, err, tc.quote)
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

func (s *suite) copies(t *testing.T) {
	r := s.open(t)
	want := service("hello", "1", "a")
	mine := service("hello", "1", "a")
	mustRegister(t, r, mine)
	s.holds(t, r, "hello", want)
	spoil(mine)
	s.holds(t, r, "hello", want)

	for what, read := range map[string]func() ([]*registry.Service, error){
		"GetService":   func() ([]*registry.Service, error) { return r.GetService("hello") },
		"ListServices": func() ([]*registry.Service, error) { return r.ListServices() },
	} {
		got, err := read()
		if err != nil || len(got) != 1 || len(got[0].Nodes) != 1 || len(got[0].Endpoints) != 1 {
			t.Fatalf("%s: got error %v and\n%s", what, err, describe(got...))
		}
		spoil(got[0])
		s.holds(t, r, "hello", want)
	}

	w := s.watch(t, r)
	mine = service("hello", "2", "b")
	mustRegister(t, r, mine)
	spoil(mine)
	spoil(w.next(t).Service)
	s.holds(t, r, "hello", want, service("hello", "2", "b"))
}

// spoil changes everything that can be reached from s.
func spoil(s *registry.Service) {
	s.Metadata["team"] = "spoilt"
	for _, n := range s.Nodes {
		n.Address = "spoilt"
		n.Metadata["zone"] = "spoilt"
	}
	for _, e := range s.Endpoints {
		e.Metadata["stream"] = "spoilt"
		e.Request.Name = "spoilt"
		for _, v := range e.Request.Values {
			v.Name = "spoilt"
		}
		e.Name = "spoilt"
	}
	s.Nodes = append(s.Nodes[:0], nil)
	s.Name = "spoilt"
}
