package selector_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/registry/memory"
)

// counting counts what the registry is asked for.
type counting struct {
	registry.Registry
	reads atomic.Int64
}

func (c *counting) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	c.reads.Add(1)
	return c.Registry.GetService(name, opts...)
}

func (c *counting) ListServices(opts ...registry.ListOption) ([]*registry.Service, error) {
	c.reads.Add(1)
	return c.Registry.ListServices(opts...)
}

// newMemory returns a registry that ends with the test.
func newMemory(t *testing.T, services ...*registry.Service) registry.Registry {
	t.Helper()
	r := memory.NewRegistry()
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	for _, s := range services {
		if err := r.Register(s); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// open returns a selector that ends with the test.
func open(t *testing.T, opts ...selector.Option) selector.Selector {
	t.Helper()
	s := selector.NewSelector(opts...)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// chosen selects once, takes the first node, and returns its id.
func chosen(t *testing.T, s selector.Selector, opts ...selector.SelectOption) string {
	t.Helper()
	next, err := s.Select("greeter", opts...)
	if err != nil {
		t.Fatal(err)
	}
	n, err := next()
	if err != nil {
		t.Fatal(err)
	}
	return n.Id
}

func TestSelectDoesNotReadTheRegistryEachTime(t *testing.T) {
	for name, opts := range map[string][]selector.SelectOption{
		"plain":            nil,
		"filter":           {selector.WithFilter(selector.FilterVersion("1"))},
		"strategy":         {selector.WithStrategy(first)},
		"known by another": {selector.WithStrategy(selector.RoundRobin)},
	} {
		t.Run(name, func(t *testing.T) {
			r := &counting{Registry: newMemory(t, three()...)}
			s := open(t, selector.Registry(r))
			for range 100 {
				chosen(t, s, opts...)
			}
			if n := r.reads.Load(); n != 1 {
				t.Errorf("100 selections read the registry %d times, want 1", n)
			}
		})
	}
}

func TestRoundRobinGoesRoundOverSelections(t *testing.T) {
	for name, opts := range map[string][]selector.SelectOption{
		"all":      nil,
		"filtered": {selector.WithFilter(selector.FilterLabel("", ""))},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, selector.Registry(newMemory(t, three()...)), selector.SetStrategy(selector.RoundRobin))
			var got []string
			for range 6 {
				got = append(got, chosen(t, s, opts...))
			}
			round := slices.Sorted(slices.Values(got[:3]))
			if !slices.Equal(round, []string{"a", "b", "c"}) || !slices.Equal(got[:3], got[3:]) {
				t.Errorf("six selections chose %q, want each node twice, in turn", got)
			}
		})
	}
}

func TestSelectSeesChanges(t *testing.T) {
	r := newMemory(t, three()...)
	s := open(t, selector.Registry(r))
	chosen(t, s)
	if err := r.Deregister(three()[0]); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 5*time.Second, "only c is left", func() bool {
		for range 50 {
			if chosen(t, s) != "c" {
				return false
			}
		}
		return true
	})
	if err := r.Deregister(three()[1]); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 5*time.Second, "nobody is left", func() bool {
		_, err := s.Select("greeter")
		return errors.Is(err, selector.ErrNotFound)
	})
}

func TestWhatIsHandedOutBelongsToTheCaller(t *testing.T) {
	s := open(t, selector.Registry(newMemory(t, three()...)))
	spoil := func(services []*registry.Service) selector.Next {
		for _, svc := range services {
			svc.Name = "spoilt"
			for _, n := range svc.Nodes {
				n.Id, n.Metadata = "spoilt", nil
			}
		}
		return first(services)
	}
	if got := chosen(t, s, selector.WithStrategy(spoil)); got != "spoilt" {
		t.Fatalf("chose %q", got)
	}
	for range 20 {
		next, err := s.Select("greeter")
		if err != nil {
			t.Fatal(err)
		}
		n, err := next()
		if err != nil || n.Id == "spoilt" {
			t.Fatalf("chose %+v (%v), which an earlier caller changed", n, err)
		}
		n.Id = "spoilt"
	}
}

func TestSelectGoesOnWhileEtcdIsAway(t *testing.T) {
	server := testkit.StartEtcd(t)
	r := etcd.NewRegistry(registry.Addrs(server.Addr()), registry.Timeout(time.Second))
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	for _, svc := range three() {
		if err := r.Register(svc); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, selector.Registry(r), selector.SetStrategy(selector.RoundRobin))
	chosen(t, s)
	server.Kill()
	seen := map[string]bool{}
	for range 300 {
		seen[chosen(t, s)] = true
	}
	if len(seen) != 3 {
		t.Errorf("chose %v of three nodes while etcd is away", seen)
	}
	if _, err := s.Select("unknown"); err == nil || errors.Is(err, selector.ErrNotFound) {
		t.Errorf("a name that nobody can look up: %v", err)
	}
}

func TestSelectAfterClose(t *testing.T) {
	s := selector.NewSelector(selector.Registry(newMemory(t, three()...)))
	chosen(t, s)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Select("greeter"); !errors.Is(err, selector.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	never := selector.NewSelector()
	if err := never.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := never.Select("greeter"); !errors.Is(err, selector.ErrClosed) {
		t.Errorf("got %v of a selector that never selected, want ErrClosed", err)
	}
}

func TestInitReplacesTheRegistry(t *testing.T) {
	s := open(t, selector.Registry(newMemory(t, three()[0])))
	if got := chosen(t, s); got == "c" {
		t.Fatalf("chose %q", got)
	}
	if err := s.Init(selector.Registry(newMemory(t, three()[1]))); err != nil {
		t.Fatal(err)
	}
	if got := chosen(t, s); got != "c" {
		t.Errorf("chose %q, which the new registry does not have", got)
	}
}

func TestSelectRefusesNames(t *testing.T) {
	s := open(t, selector.Registry(newMemory(t)))
	for _, name := range []string{"", "..", "a\nb"} {
		if _, err := s.Select(name); err == nil || errors.Is(err, selector.ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A selection waits for the registry no longer than the registry's timeout, and no
// longer than the context that it is given.
func TestSelectWaitsForABoundedTime(t *testing.T) {
	r := fixed{err: errors.New("away"), timeout: 50 * time.Millisecond}
	s := open(t, selector.Registry(r))
	if _, err := s.Select("greeter"); !errors.Is(err, r.err) {
		t.Errorf("got %v, want what the registry said", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.timeout = time.Hour
	s = open(t, selector.Registry(r))
	_, err := s.Select("greeter", func(o *selector.SelectOptions) { o.Context = ctx })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
}

func ExampleNewSelector() {
	r := memory.NewRegistry()
	defer r.(io.Closer).Close()
	_ = r.Register(&registry.Service{Name: "web", Nodes: []*registry.Node{{Id: "web-1", Address: "10.0.0.1:80"}}})

	s := selector.NewSelector(selector.Registry(r), selector.SetStrategy(selector.RoundRobin))
	defer s.Close()
	next, err := s.Select("web")
	if err != nil {
		fmt.Println(err)
		return
	}
	node, err := next()
	fmt.Println(node.Address, err)
	// Output: 10.0.0.1:80 <nil>
}

// TestSelectWhileAnotherRegistryIsSet changes the registry under selections: each gets
// the answer of one of the two.
func TestSelectWhileAnotherRegistryIsSet(t *testing.T) {
	registries := []registry.Registry{newMemory(t, three()...), newMemory(t, three()...)}
	s := open(t, selector.Registry(registries[0]))
	var selecting sync.WaitGroup
	for range 8 {
		selecting.Go(func() {
			for range 200 {
				if _, err := s.Select("greeter"); err != nil {
					t.Errorf("Select: %v", err)
				}
			}
		})
	}
	for i := range 300 {
		if err := s.Init(selector.Registry(registries[i%2])); err != nil {
			t.Error(err)
		}
	}
	selecting.Wait()
}

// TestSelectWithoutARegistryIsRefusedAtOnce asks where nothing was chosen; the second
// selection comes upon the names that the first began to follow.
func TestSelectWithoutARegistryIsRefusedAtOnce(t *testing.T) {
	s := open(t, selector.Registry(registry.NewRegistry(registry.Timeout(time.Hour))))
	for range 2 {
		if _, err := s.Select("greeter"); !errors.Is(err, registry.ErrNoRegistry) {
			t.Errorf("Select: %v", err)
		}
	}
}

func TestFilterEndpointPassesOverWhatIsNoEndpoint(t *testing.T) {
	services := []*registry.Service{{Name: "a", Endpoints: []*registry.Endpoint{nil, {Name: "Say"}}}}
	if got := selector.FilterEndpoint("Say")(services); len(got) != 1 {
		t.Errorf("kept %d services", len(got))
	}
}
