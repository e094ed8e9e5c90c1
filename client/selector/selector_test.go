package selector_test

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/registry"
)

// fixed is a Registry that answers every lookup alike.
type fixed struct {
	registry.Registry
	services []*registry.Service
	err      error
	timeout  time.Duration
}

func (f fixed) Options() registry.Options { return registry.Options{Timeout: f.timeout} }

func (f fixed) String() string { return "fixed" }

func (f fixed) Watch(...registry.WatchOption) (registry.Watcher, error) {
	return nil, errors.New("cannot be watched")
}

func (f fixed) GetService(string, ...registry.GetOption) ([]*registry.Service, error) {
	return f.services, f.err
}

func three() []*registry.Service {
	return []*registry.Service{
		{Name: "greeter", Version: "1", Endpoints: []*registry.Endpoint{{Name: "Greeter.Hello"}}, Nodes: []*registry.Node{
			{Id: "a", Metadata: map[string]string{"zone": "east"}},
			{Id: "b", Metadata: map[string]string{"zone": "west"}},
		}},
		{Name: "greeter", Version: "2", Nodes: []*registry.Node{{Id: "c"}}},
	}
}

func ids(services []*registry.Service) string {
	var s string
	for _, svc := range services {
		for _, n := range svc.Nodes {
			s += n.Id
		}
	}
	return s
}

func TestSelect(t *testing.T) {
	for _, tc := range []struct {
		name     string
		registry fixed
		options  []selector.SelectOption
		want     string
		err      error
	}{
		{name: "filtered", registry: fixed{services: three()}, options: []selector.SelectOption{selector.WithFilter(selector.FilterVersion("2"))}, want: "c"},
		{name: "both filters", registry: fixed{services: three()}, options: []selector.SelectOption{selector.WithFilter(selector.FilterVersion("1"), selector.FilterLabel("zone", "west"))}, want: "b"},
		{name: "own strategy", registry: fixed{services: three()}, options: []selector.SelectOption{selector.WithStrategy(first)}, want: "a"},
		{name: "nothing left", registry: fixed{services: three()}, options: []selector.SelectOption{selector.WithFilter(selector.FilterVersion("3"))}, err: selector.ErrNoneAvailable},
		{name: "no service", registry: fixed{}, err: selector.ErrNotFound},
		{name: "unknown", registry: fixed{err: registry.ErrNotFound}, err: selector.ErrNotFound},
		{name: "registry away", registry: fixed{err: fs.ErrPermission, timeout: 50 * time.Millisecond}, err: fs.ErrPermission},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := open(t, selector.Registry(tc.registry))
			next, err := s.Select("greeter", tc.options...)
			if !errors.Is(err, tc.err) {
				t.Fatalf("Select returned %v, want %v", err, tc.err)
			}
			if err != nil {
				return
			}
			n, err := next()
			if err != nil || n.Id != tc.want {
				t.Fatalf("chose %v, %v, want %q", n, err, tc.want)
			}
		})
	}
}

func first(services []*registry.Service) selector.Next {
	return func() (*registry.Node, error) { return services[0].Nodes[0], nil }
}

func TestSelectWithoutNodes(t *testing.T) {
	for _, strategy := range []selector.Strategy{selector.Random, selector.RoundRobin} {
		if _, err := strategy([]*registry.Service{{Name: "greeter"}})(); !errors.Is(err, selector.ErrNoneAvailable) {
			t.Errorf("got %v, want ErrNoneAvailable", err)
		}
	}
}

func TestDefaultSelectorAsksTheDefaultRegistryOfTheMoment(t *testing.T) {
	before := registry.DefaultRegistry
	t.Cleanup(func() { registry.DefaultRegistry = before })
	registry.DefaultRegistry = fixed{services: three()}

	defaultSelector := selector.DefaultSelector
	t.Cleanup(func() {
		if err := defaultSelector.Close(); err != nil {
			t.Error(err)
		}
		selector.DefaultSelector = selector.NewSelector()
	})
	next, err := selector.DefaultSelector.Select("greeter")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := next(); err != nil {
		t.Fatal(err)
	}
}

func TestInitReplacesTheStrategy(t *testing.T) {
	s := open(t, selector.Registry(fixed{services: three()}))
	if err := s.Init(selector.SetStrategy(first)); err != nil {
		t.Fatal(err)
	}
	next, err := s.Select("greeter")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if n, _ := next(); n.Id != "a" {
			t.Fatalf("chose %q by another strategy", n.Id)
		}
	}
}

func TestCloseTwice(t *testing.T) {
	s := selector.NewSelector()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFiltersLeaveTheirInputAlone(t *testing.T) {
	services := three()
	for name, tc := range map[string]struct {
		filter selector.Filter
		want   string
	}{
		"endpoint":     {selector.FilterEndpoint("Greeter.Hello"), "ab"},
		"no endpoint":  {selector.FilterEndpoint("Greeter.Bye"), ""},
		"version":      {selector.FilterVersion("2"), "c"},
		"label":        {selector.FilterLabel("zone", "east"), "a"},
		"absent label": {selector.FilterLabel("zone", ""), "c"},
	} {
		if got := ids(tc.filter(services)); got != tc.want {
			t.Errorf("%s kept %q, want %q", name, got, tc.want)
		}
		if got := ids(services); got != "abc" {
			t.Fatalf("%s changed its input to %q", name, got)
		}
	}
}

func TestBuiltinIsRecognised(t *testing.T) {
	type marker interface {
		Builtin() (selector.Options, string)
	}
	r := fixed{services: three()}
	for want, strategy := range map[string]selector.Strategy{"random": selector.Random, "roundrobin": selector.RoundRobin, "": first} {
		given, name := selector.NewSelector(selector.Registry(r), selector.SetStrategy(strategy)).(marker).Builtin()
		if name != want || given.Registry == nil {
			t.Errorf("got strategy %q and registry %v, want %q and the one given", name, given.Registry, want)
		}
	}
	if given, name := selector.NewSelector().(marker).Builtin(); name != "random" || given.Registry != nil {
		t.Errorf("got strategy %q and registry %v of a selector without options", name, given.Registry)
	}
	var wrapped selector.Selector = struct{ selector.Selector }{selector.NewSelector()}
	if _, ok := wrapped.(marker); ok {
		t.Error("a wrapped selector would be bypassed")
	}
}
