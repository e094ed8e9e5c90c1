package registrytest

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// init applies an option to a registry that is in use.
func (s *suite) init(t *testing.T) {
	const timeout = 7 * time.Second
	r := s.open(t)
	hello := service("hello", "1", "a")
	mustRegister(t, r, hello)
	if err := r.Init(registry.Timeout(timeout)); err != nil {
		t.Errorf("init: %v", err)
	}
	o := r.Options()
	if o.Timeout != timeout {
		t.Errorf("after Init the timeout is %v, want %v", o.Timeout, timeout)
	}
	o.Timeout = 0
	if got := r.Options().Timeout; got != timeout {
		t.Errorf("the options handed out belong to the registry: the timeout is %v now", got)
	}
	s.holds(t, r, "hello", hello)
	if err := r.Init(); err != nil || r.Options().Timeout != timeout {
		t.Errorf("init without options: %v, and the timeout is %v, want %v", err, r.Options().Timeout, timeout)
	}
}

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
	// The node is what counts, whatever else is said of it.
	mustDeregister(t, r, &registry.Service{Name: "hello", Version: "9", Nodes: []*registry.Node{{Id: "a"}}})
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
		if g, w := s.describe(got...), s.describe(want...); g != w {
			return fmt.Errorf("list: got\n%s\nwant\n%s", g, w)
		}
		return inOrder(got)
	})
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
	if s.Metadata != nil { // not every backend keeps it
		s.Metadata["team"] = "spoilt"
	}
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
