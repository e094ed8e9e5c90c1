package roundrobin_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/testkit/stub"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
	"github.com/rollcall-go/micro/wrapper/select/roundrobin"
)

type Node struct{}

func (Node) Say(context.Context, *wrapperspb.StringValue, *wrapperspb.StringValue) error { return nil }

// TestNodesTakeTurns calls a service of three nodes, for which the client's own strategy is
// another one.
func TestNodesTakeTurns(t *testing.T) {
	r := memory.NewRegistry()
	for range 3 {
		s := sgrpc.NewServer(server.Name("greeter"), server.Address("127.0.0.1:0"), server.Registry(r), sgrpc.DeregisterDelay(0))
		if err := s.Handle(s.NewHandler(Node{})); err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Stop() })
	}
	var mu sync.Mutex
	chosen := map[string]int{}
	count := func(next client.CallFunc) client.CallFunc {
		return func(ctx context.Context, node *registry.Node, req client.Request, rsp any, opts client.CallOptions) error {
			mu.Lock()
			chosen[node.Id]++
			mu.Unlock()
			return next(ctx, node, req, rsp, opts)
		}
	}
	c := cgrpc.NewClient(client.Registry(r), client.WrapCall(count), client.Wrap(roundrobin.NewClientWrapper()))
	defer c.(io.Closer).Close()
	call := func(n int, opts ...client.CallOption) map[string]int {
		clear(chosen)
		for range n {
			if err := c.Call(t.Context(), c.NewRequest("greeter", "Node.Say", wrapperspb.String("x")), new(wrapperspb.StringValue), opts...); err != nil {
				t.Fatal(err)
			}
		}
		return chosen
	}
	for len(call(3)) < 3 { // until there is a connection to each
		if t.Context().Err() != nil {
			t.Fatal("not all nodes are called")
		}
	}
	for id, n := range call(300) {
		if n != 100 {
			t.Errorf("%s was called %d times of 300", id, n)
		}
	}
	first := func(services []*registry.Service) selector.Next {
		return func() (*registry.Node, error) { return services[0].Nodes[0], nil }
	}
	if got := call(9, client.WithSelectOption(selector.WithStrategy(first))); len(got) != 1 {
		t.Errorf("a strategy of the call itself: chosen %v", got)
	}
}

func ExampleNewClientWrapper() {
	// micro.NewService(micro.WrapClient(roundrobin.NewClientWrapper())) does so for a service.
	c := roundrobin.NewClientWrapper()(&stub.Client{OnCall: func(_ context.Context, _ client.Request, o client.CallOptions) error {
		var so selector.SelectOptions
		for _, opt := range o.SelectOptions {
			opt(&so)
		}
		fmt.Println(selector.StrategyName(so.Strategy))
		return nil
	}})
	_ = c.Call(context.Background(), &stub.Request{Name: "greeter", Path: "Greeter.Hello"}, nil)
	// Output: roundrobin
}
