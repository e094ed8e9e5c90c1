package grpc

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// slowly answers as echo does, once its context has ended or for good if a test lets it.
type slowly struct {
	released  chan struct{}
	cancelled atomic.Int64 // calls whose context ended first
}

func (s *slowly) answer(ctx context.Context, path string, decode func(any) error) (any, error) {
	select {
	case <-s.released:
		return echo(ctx, path, decode)
	case <-ctx.Done():
		s.cancelled.Add(1)
		return nil, ctx.Err()
	}
}

// A call is answered by the second node while the first takes its time, and the first is
// told to stop.
func TestHedge(t *testing.T) {
	slow := &slowly{released: make(chan struct{})}
	a, b := serve(t, slow.answer), serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", a, b))), client.RetryBudget(-1))
	for i := range 100 {
		mustSay(t, c, fmt.Sprint(i), client.WithIdempotent(true), client.WithHedge(time.Millisecond))
	}
	if a.calls.Load() == 0 {
		t.Fatal("the slow node was never called")
	}
	if got := c.(*grpcClient).retries.hedged.Load(); got == 0 || got > uint64(a.calls.Load())+100 {
		t.Errorf("%d calls were hedged, of %d", got, a.calls.Load())
	}
	testkit.Eventually(t, 30*time.Second, "the slow node is told that nobody waits", func() bool { return slow.cancelled.Load() == a.calls.Load() })
}

func TestWhatIsNotHedged(t *testing.T) {
	slow := &slowly{released: make(chan struct{})}
	a, b := serve(t, slow.answer), serve(t, slow.answer)
	c := newClient(t, client.Registry(register(t, service("two", a, b), service("one", a))))
	for name, tc := range map[string]struct {
		service string
		opts    []client.CallOption
	}{
		"what is not idempotent":      {"two", []client.CallOption{client.WithHedge(time.Millisecond)}},
		"without the option":          {"two", []client.CallOption{client.WithIdempotent(true)}},
		"by a time that is not known": {"two", []client.CallOption{client.WithIdempotent(true), client.WithHedge(client.HedgeAtP95)}},
		"the only node":               {"one", []client.CallOption{client.WithIdempotent(true), client.WithHedge(time.Millisecond)}},
	} {
		before := a.calls.Load() + b.calls.Load()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- c.Call(ctx, c.NewRequest(tc.service, "Echo.Say", wrapperspb.String("x")), &wrapperspb.StringValue{}, append(tc.opts, client.WithRequestTimeout(time.Minute))...)
		}()
		testkit.Eventually(t, 30*time.Second, "the call arrives", func() bool { return a.calls.Load()+b.calls.Load() > before })
		testkit.Elapse(t, 50*time.Millisecond)
		cancel()
		if err := <-done; fault(t, err).Code != 408 {
			t.Errorf("%s: %v", name, err)
		}
		if got := a.calls.Load() + b.calls.Load() - before; got != 1 {
			t.Errorf("%s: %d calls", name, got)
		}
	}
}

// Hedges count against the budget: without one, calls wait for the first node.
func TestHedgesCountAgainstTheBudget(t *testing.T) {
	slow := &slowly{released: make(chan struct{})}
	close(slow.released)
	a, b := serve(t, slow.answer), serve(t, slow.answer)
	c := newClient(t, client.Registry(register(t, service("echo", a, b))), client.RetryBudget(0), client.Hedge(1))
	for range 50 {
		mustSay(t, c, "x", client.WithIdempotent(true))
	}
	if got := a.calls.Load() + b.calls.Load(); got != 50 {
		t.Errorf("%d calls reached a server, of 50", got)
	}
}

// If both fail, the caller gets the error of one, and may try again.
func TestBothAttemptsFail(t *testing.T) {
	var made atomic.Int64
	later := func(ctx context.Context, _ string, _ func(any) error) (any, error) {
		for made.Add(1); made.Load() < 2 && ctx.Err() == nil; { // until there are two
			runtime.Gosched()
		}
		return nil, errors.New("my.id", "down", 503)
	}
	a, b := serve(t, later), serve(t, later)
	c := newClient(t, client.Registry(register(t, service("echo", a, b))), client.Retries(0))
	_, err := say(t.Context(), c, "x", client.WithIdempotent(true), client.WithHedge(time.Millisecond))
	if e := fault(t, err); e.Code != 503 || e.Id != "my.id" {
		t.Errorf("got %v", err)
	}
}

// By the time in which 95 of 100 calls were answered, a call to a node that hangs goes to
// the other one soon.
func TestHedgeByThePercentile(t *testing.T) {
	var hang atomic.Bool
	sometimes := func(ctx context.Context, path string, decode func(any) error) (any, error) {
		if hang.Load() {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return echo(ctx, path, decode)
	}
	a, b := serve(t, sometimes), serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", a, b))), client.RetryBudget(-1), client.Hedge(client.HedgeAtP95))
	idempotent := client.WithIdempotent(true)
	for range 200 {
		mustSay(t, c, "x", idempotent)
	}
	hang.Store(true)
	for range 50 {
		mustSay(t, c, "x", idempotent) // the deadline is 5 s
	}
}

// Row D9, hedged: 2,000 calls whose deadlines, hedges and answers come about at the same
// time. No answer is another call's, and nothing writes to a response when the call is
// over. The race detector looks on.
func TestHedgedAnswersAreNotMixedUp(t *testing.T) {
	t.Parallel()
	const workers, calls = 8, 250
	a, b := serve(t, echo), serve(t, echo)
	var wrapped atomic.Int64
	c := newClient(t, client.Registry(register(t, service("echo", a, b))), client.RetryBudget(-1), client.Hedge(100*time.Microsecond),
		client.WrapCall(func(next client.CallFunc) client.CallFunc {
			return func(ctx context.Context, n *registry.Node, req client.Request, rsp any, o client.CallOptions) error {
				wrapped.Add(1)
				return next(ctx, n, req, rsp, o)
			}
		}))
	mustSay(t, c, "x")
	var answered atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			type outcome struct {
				rsp  *wrapperspb.StringValue
				then string
			}
			var all []outcome
			for i := range calls {
				text, rsp := fmt.Sprint(w, " ", i), &wrapperspb.StringValue{}
				req := c.NewRequest("echo", "Echo.Say", wrapperspb.String(text), client.IdempotentRequest())
				if err := c.Call(context.Background(), req, rsp, client.WithRequestTimeout(time.Millisecond)); err == nil {
					answered.Add(1)
					if rsp.Value != text {
						t.Errorf("said %q, heard %q", text, rsp.Value)
					}
				}
				all = append(all, outcome{rsp, rsp.Value})
			}
			for _, o := range all {
				if o.rsp.Value != o.then {
					t.Errorf("a response changed from %q to %q after the call", o.then, o.rsp.Value)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("measured: %d of %d calls answered, %d hedged", answered.Load(), workers*calls, c.(*grpcClient).retries.hedged.Load())
	mustSay(t, c, "y", client.WithIdempotent(true), client.WithRequestTimeout(10*time.Second))
}

// A response of the program's own type, by JSON, is delivered as well.
func TestAHedgedAnswerOfAnyType(t *testing.T) {
	slow := &slowly{released: make(chan struct{})}
	close(slow.released)
	n := serve(t, slow.answer)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	var rsp any
	req := c.NewRequest("echo", "Echo.Say", "z", client.WithContentType("application/json"), client.IdempotentRequest())
	if err := c.Call(t.Context(), req, &rsp, client.WithHedge(time.Hour)); err != nil || rsp != "z" {
		t.Errorf("got %v, %v", rsp, err)
	}
}

// A panic in a wrapper fails the call, and no more.
func TestAPanicOfAHedgedCall(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))), client.Retries(0), client.Hedge(time.Hour),
		client.WrapCall(func(client.CallFunc) client.CallFunc {
			return func(context.Context, *registry.Node, client.Request, any, client.CallOptions) error { panic("boom") }
		}))
	if _, err := say(t.Context(), c, "x", client.WithIdempotent(true)); fault(t, err).Code != 500 {
		t.Error(err)
	}
}
