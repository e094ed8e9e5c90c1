package grpc

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
)

// noBackoff does not wait before an attempt.
func noBackoff(context.Context, client.Request, int) (time.Duration, error) { return 0, nil }

// failing answers each call with an error of code 500.
func failing(context.Context, string, func(any) error) (any, error) {
	return nil, errors.InternalServerError("my.id", "failed")
}

func TestOnlyTheIdempotentIsTriedAgainOnceItWasWritten(t *testing.T) {
	n := serve(t, failing)
	c := newClient(t, client.Registry(register(t, service("echo", n))), client.Backoff(noBackoff))
	marked := c.NewRequest("echo", "Echo.Say", wrapperspb.String("x"), client.IdempotentRequest())
	plain := c.NewRequest("echo", "Echo.Say", wrapperspb.String("x"))
	for _, tt := range []struct {
		name string
		req  client.Request
		opts []client.CallOption
		want int64
	}{
		{"nothing is said", plain, nil, 1},
		{"by option", plain, []client.CallOption{client.WithIdempotent(true)}, 2},
		{"by the request", marked, nil, 2},
		{"by the request, and not by option", marked, []client.CallOption{client.WithIdempotent(false)}, 1},
		{"three retries", marked, []client.CallOption{client.WithRetries(3)}, 4},
		{"no retries", marked, []client.CallOption{client.WithRetries(0)}, 1},
	} {
		before := n.calls.Load()
		err := c.Call(t.Context(), tt.req, &wrapperspb.StringValue{}, tt.opts...)
		if e := fault(t, err); e.Id != "my.id" {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := n.calls.Load() - before; got != tt.want {
			t.Errorf("%s: %d calls, want %d", tt.name, got, tt.want)
		}
	}
}

func TestTheBudgetBoundsRetries(t *testing.T) {
	const calls = 500
	for percent, most := range map[int]int64{20: calls + calls/5 + 10 + 60, 0: calls, -1: 2 * calls} { // 60: one a second, for as long as it may take
		n := serve(t, failing)
		c := newClient(t, client.Registry(register(t, service("echo", n))), client.Backoff(noBackoff), client.Retry(client.RetryOnError), client.RetryBudget(percent))
		for range calls {
			if _, err := say(t.Context(), c, "x"); err == nil {
				t.Fatal("a call did not fail")
			}
		}
		if got := n.calls.Load(); got > most || percent < 0 && got != most || percent > 0 && got < calls+calls/5 {
			t.Errorf("%d %%: %d calls reached the server, of %d", percent, got, calls)
		}
	}
}

// A node that cannot be reached is none that retries overload.
func TestTheUnwrittenCostsNoBudget(t *testing.T) {
	dead, n := serve(t, echo), serve(t, echo)
	dead.server.Stop()
	c := newClient(t, client.RetryBudget(0))
	for range 50 {
		mustSay(t, c, "x", client.WithAddress(dead.Address, n.Address))
	}
}

// A server that has tried its own calls again says so, and is obeyed.
func TestNoRetryOfWhatWasTriedAgainBelow(t *testing.T) {
	leaf := serve(t, failing)
	registry := register(t, service("leaf", leaf))
	inner := newClient(t, client.Registry(registry), client.Backoff(noBackoff), client.Retries(2))
	var made atomic.Int64
	middle := serve(t, func(ctx context.Context, _ string, decode func(any) error) (any, error) {
		made.Add(1)
		req := inner.NewRequest("leaf", "Echo.Say", wrapperspb.String("x"), client.IdempotentRequest())
		err := inner.Call(ctx, req, &wrapperspb.StringValue{})
		return nil, errors.InternalServerError("middle", "its own error: %v", err)
	})
	c := newClient(t, client.Registry(register(t, service("echo", middle))), client.Backoff(noBackoff), client.Retries(2))
	for _, opt := range []client.CallOption{client.WithIdempotent(true), client.WithRetry(client.RetryAlways)} {
		made.Store(0)
		leaf.calls.Store(0)
		_, err := say(t.Context(), c, "x", opt)
		if e := fault(t, err); e.Id != "middle" {
			t.Errorf("got %v", err)
		}
		if made.Load() != 1 || leaf.calls.Load() != 3 {
			t.Errorf("the middle was called %d times and the leaf %d, want 1 and 3", made.Load(), leaf.calls.Load())
		}
	}
}

// A handler that makes many calls which fail, each by its own time, says once that they
// were tried again: trailers that add up would be more than a client takes.
func TestTheTrailerDoesNotGrow(t *testing.T) {
	const calls = 100
	leaf := serve(t, failing)
	inner := newClient(t, client.Registry(register(t, service("leaf", leaf))), client.RetryBudget(-1)).(*grpcClient)
	for name, before := range map[string]func(end func()) (time.Duration, error){
		"no time is left":   func(end func()) (time.Duration, error) { end(); return time.Hour, nil },
		"no retry is left":  func(func()) (time.Duration, error) { return 0, nil },
		"the backoff fails": func(func()) (time.Duration, error) { return 0, errors.InternalServerError("my.id", "no more") },
	} {
		middle := serve(t, func(ctx context.Context, _ string, decode func(any) error) (any, error) {
			var wg sync.WaitGroup
			for range calls {
				wg.Go(func() {
					ctx, end := context.WithCancel(ctx)
					defer end()
					backoff := client.WithBackoff(func(_ context.Context, _ client.Request, i int) (time.Duration, error) {
						if i == 0 {
							return 0, nil
						}
						return before(end)
					})
					if err := inner.Call(ctx, inner.NewRequest("leaf", "Echo.Say", wrapperspb.String("x")), &wrapperspb.StringValue{}, client.WithIdempotent(true), backoff); err == nil {
						t.Errorf("%s: a call did not fail", name)
					}
				})
			}
			wg.Wait()
			return failing(ctx, "", decode)
		})
		var trailer grpcmd.MD
		c := newClient(t, client.Registry(register(t, service("echo", middle))), client.RequestTimeout(time.Minute))
		if _, err := say(t.Context(), c, "x", CallOptions(grpc.Trailer(&trailer))); err == nil {
			t.Errorf("%s: the call did not fail", name)
		}
		if got := trailer.Get(pushback); len(got) != 1 {
			t.Errorf("%s: the trailer is there %d times", name, len(got))
		}
	}
	testkit.Eventually(t, 30*time.Second, "nothing is remembered of calls that are over", func() bool {
		kept := 0
		inner.told.Range(func(any, any) bool { kept++; return true })
		return kept == 0
	})
}

// gRPC's own servers may ask for no retry by themselves.
func TestPushbackIsObeyed(t *testing.T) {
	n := serve(t, func(ctx context.Context, _ string, _ func(any) error) (any, error) {
		_ = grpc.SetTrailer(ctx, grpcmd.Pairs(pushback, "-1"))
		return nil, errors.InternalServerError("my.id", "failed")
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))), client.Backoff(noBackoff))
	for i, hedge := range []time.Duration{0, time.Hour} {
		if _, err := say(t.Context(), c, "x", client.WithIdempotent(true), client.WithHedge(hedge)); err == nil || n.calls.Load() != int64(i+1) {
			t.Errorf("hedge after %v: %v after %d calls", hedge, err, n.calls.Load())
		}
	}
}

// What a node turned away goes to another one, whatever it is; the same error from
// further on does not.
func TestWhatANodeTurnsAwayGoesElsewhere(t *testing.T) {
	n := serve(t, echo)
	var full *node
	from := ""
	full = serve(t, func(context.Context, string, func(any) error) (any, error) {
		return nil, errors.New(from, "at its limit", 429)
	})
	c := newClient(t, client.Registry(register(t, service("echo", full, n))), client.Backoff(func(_ context.Context, _ client.Request, i int) (time.Duration, error) {
		return time.Duration(i) * time.Hour, nil // there is no wait on the way elsewhere
	}))
	from = full.Id
	for range 20 {
		mustSay(t, c, "x")
	}
	if full.calls.Load() == 0 {
		t.Fatal("the full node was never called")
	}
	from = "another node"
	failed := 0
	for range 50 {
		if _, err := say(t.Context(), c, "x"); err != nil {
			failed++
			if fault(t, err).Code != 429 {
				t.Fatal(err)
			}
		}
	}
	if failed == 0 {
		t.Error("what another node turned away was tried again")
	}
}

// A call that is no candidate for a retry after it was written pays nothing for those.
func TestTheBudgetCostsNoMemory(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n)))).(*grpcClient)
	mustSay(t, c, "x")
	r := route{state: c.current.Load(), service: "echo"}
	if err := r.lookup(t.Context()); err != nil {
		t.Fatal(err)
	}
	co := c.current.Load().opts.CallOptions
	if n := testing.AllocsPerRun(100, func() { c.plan(&r, nil, false, &co) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
