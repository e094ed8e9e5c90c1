package grpc

import (
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestWithAddress(t *testing.T) {
	a, b := serve(t, echo), serve(t, echo)
	c := newClient(t) // has no registry
	for range 10 {
		mustSay(t, c, "x", client.WithAddress(a.Address, b.Address))
	}
	if a.calls.Load() != 5 || b.calls.Load() != 5 {
		t.Errorf("%d and %d calls", a.calls.Load(), b.calls.Load())
	}
}

func TestFiltersAndStrategies(t *testing.T) {
	a, b := serve(t, echo), serve(t, echo)
	a.Metadata = map[string]string{"zone": "1"}
	r := register(t, service("echo", a, b))
	c := newClient(t, client.Registry(r))
	for range 10 {
		mustSay(t, c, "x", client.WithSelectOption(selector.WithFilter(selector.FilterLabel("zone", "1"))))
	}
	if b.calls.Load() != 0 {
		t.Errorf("%d calls went to a node that was filtered out", b.calls.Load())
	}
	last := func(services []*registry.Service) selector.Next {
		return func() (*registry.Node, error) { return services[0].Nodes[1], nil }
	}
	before := a.calls.Load()
	for range 10 {
		mustSay(t, c, "x", client.WithSelectOption(selector.WithStrategy(last)))
	}
	all, err := r.GetService("echo")
	if err != nil {
		t.Fatal(err)
	}
	if want := all[0].Nodes[1].Address; (want == b.Address) != (a.calls.Load() == before) {
		t.Error("the strategy was not obeyed")
	}
}

func TestRoundRobin(t *testing.T) {
	a, b := serve(t, echo), serve(t, echo)
	c := newClient(t, client.Selector(selector.NewSelector(
		selector.Registry(register(t, service("echo", a, b))), selector.SetStrategy(selector.RoundRobin))))
	testkit.Eventually(t, 5*time.Second, "both nodes take calls", func() bool {
		mustSay(t, c, "x")
		return a.calls.Load() > 0 && b.calls.Load() > 0
	})
	a.calls.Store(0)
	b.calls.Store(0)
	for range 10 {
		mustSay(t, c, "x")
	}
	if a.calls.Load() != 5 || b.calls.Load() != 5 {
		t.Errorf("%d and %d calls", a.calls.Load(), b.calls.Load())
	}
}

// fixed is a selector that a program wrote.
type fixed struct {
	selector.Selector
	node   *registry.Node
	mu     sync.Mutex
	marked []error
}

func (f *fixed) Select(service string, _ ...selector.SelectOption) (selector.Next, error) {
	switch service {
	case "echo":
		return func() (*registry.Node, error) { return f.node, nil }, nil
	case "none":
		return func() (*registry.Node, error) { return nil, selector.ErrNoneAvailable }, nil
	}
	return nil, selector.ErrNotFound
}

func (f *fixed) Mark(_ string, node *registry.Node, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if node == f.node {
		f.marked = append(f.marked, err)
	}
}

func TestOwnSelectorIsObeyed(t *testing.T) {
	a, b := serve(t, echo), serve(t, echo)
	f := &fixed{Selector: selector.NewSelector(), node: b.Node}
	c := newClient(t, client.Selector(f), client.Registry(register(t, service("echo", a))))
	mustSay(t, c, "x")
	_, err := say(t.Context(), c, "404")
	if a.calls.Load() != 0 || b.calls.Load() != 2 {
		t.Errorf("%d and %d calls", a.calls.Load(), b.calls.Load())
	}
	if len(f.marked) != 2 || f.marked[0] != nil || f.marked[1] != err {
		t.Errorf("marked %v", f.marked)
	}
	for name, want := range map[string]string{"none": "error selecting none node: none available", "other": "service other: not found"} {
		err := c.Call(t.Context(), c.NewRequest(name, "Echo.Say", wrapperspb.String("x")), &wrapperspb.StringValue{})
		if e := fault(t, err); e.Code != 500 || e.Detail != want {
			t.Errorf("%s: got %v", name, e)
		}
	}
}
