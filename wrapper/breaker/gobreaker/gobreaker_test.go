package gobreaker_test

import (
	"context"
	stderrors "errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	lib "github.com/sony/gobreaker/v2"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/stub"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
	"github.com/rollcall-go/micro/wrapper/breaker/gobreaker"
)

var errDown = errors.New("go.micro.client", "connection refused", 503)

func TestPerServiceAndPerEndpoint(t *testing.T) {
	for method, other := range map[gobreaker.BreakerMethod]int32{gobreaker.BreakService: 502, gobreaker.BreakServiceEndpoint: 503} {
		inner := &stub.Client{OnCall: func(context.Context, client.Request, client.CallOptions) error { return errDown }}
		c := gobreaker.NewCustomClientWrapper(lib.Settings{}, method)(inner)
		call := func(service, endpoint string) int32 {
			return errors.FromError(c.Call(t.Context(), &stub.Request{Name: service, Path: endpoint}, nil)).GetCode()
		}
		for range 6 {
			if code := call("greeter", "Greeter.Hello"); code != 503 {
				t.Fatalf("the circuit is open early: %d", code)
			}
		}
		if code := call("greeter", "Greeter.Hello"); code != 502 {
			t.Errorf("after six failures in a row: %d", code)
		}
		if code := call("greeter", "Greeter.Bye"); code != other {
			t.Errorf("method %d: another endpoint: %d, want %d", method, code, other)
		}
		if code := call("shop", "Greeter.Hello"); code != 503 {
			t.Errorf("another service: %d", code)
		}
		if s, err := c.Stream(t.Context(), &stub.Request{Name: "greeter", Path: "Greeter.Hello"}); s != nil || errors.FromError(err).GetCode() != 502 {
			t.Errorf("a stream of an open circuit: %v, %v", s, err)
		}
		if err := c.Publish(t.Context(), &stub.Published{On: "greeter"}); err != nil {
			t.Errorf("publish: %v", err)
		}
	}
}

func TestAContextThatIsOverIsNoFailure(t *testing.T) {
	inner := &stub.Client{OnCall: func(ctx context.Context, _ client.Request, _ client.CallOptions) error {
		return errors.Wrap("go.micro.client", "over", 408, ctx.Err())
	}}
	c := gobreaker.NewClientWrapper()(inner)
	for _, over := range []time.Duration{-time.Second, time.Hour} {
		ctx, cancel := context.WithTimeout(t.Context(), over)
		cancel()
		for range 20 {
			if err := c.Call(ctx, &stub.Request{Name: "greeter"}, nil); errors.FromError(err).Code != 408 {
				t.Fatalf("a call whose context was over: %v", err)
			}
		}
	}
}

// Node is a handler that fails when it is told to.
type Node struct {
	mu    sync.Mutex
	calls int
	down  bool
}

func (n *Node) Say(context.Context, *wrapperspb.StringValue, *wrapperspb.StringValue) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls++
	if n.down {
		return errors.InternalServerError("node", "no disk left")
	}
	return nil
}

func (n *Node) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls
}

func serve(t *testing.T, r registry.Registry, n *Node) {
	t.Helper()
	s := sgrpc.NewServer(server.Name("greeter"), server.Address("127.0.0.1:0"), server.Registry(r), sgrpc.DeregisterDelay(0))
	if err := s.Handle(s.NewHandler(n)); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
}

// TestCallsGoAroundANodeWhoseCircuitIsOpen has one node of two answer errors.
func TestCallsGoAroundANodeWhoseCircuitIsOpen(t *testing.T) {
	r, good, bad := memory.NewRegistry(), &Node{}, &Node{down: true}
	serve(t, r, good)
	serve(t, r, bad)
	c := cgrpc.NewClient(client.Registry(r), client.Retries(1), client.WrapCall(gobreaker.NewCallWrapper(lib.Settings{
		Timeout:     time.Hour,
		ReadyToTrip: func(c lib.Counts) bool { return c.ConsecutiveFailures >= 3 },
	})))
	t.Cleanup(func() { _ = c.(io.Closer).Close() })
	failed := 0
	for range 200 {
		if err := c.Call(t.Context(), c.NewRequest("greeter", "Node.Say", wrapperspb.String("x")), new(wrapperspb.StringValue)); err != nil {
			if !strings.Contains(err.Error(), "no disk left") {
				t.Fatal(err)
			}
			failed++
		}
	}
	if failed != 3 || bad.count() != 3 || good.count() != 197 {
		t.Errorf("%d calls failed, the bad node had %d and the good one %d", failed, bad.count(), good.count())
	}
	good.mu.Lock()
	good.down = true
	good.mu.Unlock()
	var err error
	for range 4 {
		err = c.Call(t.Context(), c.NewRequest("greeter", "Node.Say", wrapperspb.String("x")), new(wrapperspb.StringValue))
	}
	if e := errors.FromError(err); !stderrors.Is(err, lib.ErrOpenState) || !strings.Contains(e.Detail, "is not called for another") || !strings.Contains(e.Detail, "greeter@127.0.0.1:") {
		t.Errorf("all circuits open: %v", err)
	}
}

func TestACallAllocatesNothing(t *testing.T) {
	c := gobreaker.NewClientWrapper()(&stub.Client{})
	req := client.Request(&stub.Request{Name: "greeter", Path: "Greeter.Hello"})
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() { _ = c.Call(ctx, req, nil) }); n > 0 {
		t.Errorf("a call through the wrapper allocates %v times", n)
	}
}

func ExampleNewCustomClientWrapper() {
	// micro.NewService(micro.WrapClient(breaker)) does the same for a whole service.
	breaker := gobreaker.NewCustomClientWrapper(lib.Settings{
		ReadyToTrip: func(c lib.Counts) bool { return c.ConsecutiveFailures >= 2 },
		Timeout:     time.Hour,
	}, gobreaker.BreakServiceEndpoint)
	c := cgrpc.NewClient(client.Registry(memory.NewRegistry()), client.Wrap(breaker))

	defer c.(io.Closer).Close()

	req := c.NewRequest("greeter", "Greeter.Hello", wrapperspb.String("John"))
	for range 3 {
		err := c.Call(context.Background(), req, new(wrapperspb.StringValue))
		fmt.Println(errors.FromError(err).Code, stderrors.Is(err, lib.ErrOpenState))
	}
	// Output:
	// 500 false
	// 500 false
	// 502 true
}
