package faults

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
)

// executions counts how often each request was executed, by its text.
type executions struct {
	mu    sync.Mutex
	of    map[string]int
	total atomic.Int64
}

// by returns the option that counts the requests of a service before what then does.
func (e *executions) by(then func(ctx context.Context, text string) error) micro.Option {
	return micro.WrapHandler(func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			text := req.Body().(*fleet.Text).Text
			e.total.Add(1)
			e.mu.Lock()
			if e.of == nil {
				e.of = map[string]int{}
			}
			e.of[text]++
			e.mu.Unlock()
			if err := then(ctx, text); err != nil {
				return err
			}
			return next(ctx, req, rsp)
		}
	})
}

func (e *executions) most() (most int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range e.of {
		most = max(most, n)
	}
	return most
}

// Row D6: the answers to calls are lost after these were written, as their connection is
// reset while the handlers are at work. A call is executed once, and fails; one that is
// idempotent is made again, and succeeds.
func TestD6LostAnswers(t *testing.T) {
	t.Parallel()
	const calls = 20
	for _, idempotent := range []bool{false, true} {
		t.Run(fmt.Sprint("idempotent=", idempotent), func(t *testing.T) {
			t.Parallel()
			var first, second executions
			var lose atomic.Bool
			lose.Store(true)
			handle := func(ctx context.Context, _ string) error {
				if lose.Load() {
					<-ctx.Done() // the connection is reset
				}
				return nil
			}
			a := fleet.Service(t, "s", memory.NewRegistry(), nil, first.by(handle))
			b := fleet.Service(t, "s", memory.NewRegistry(), nil, second.by(handle))
			links := []*testkit.Proxy{testkit.StartProxy(t, a.Address()), testkit.StartProxy(t, b.Address())}
			c := fleet.Client(t, memory.NewRegistry())
			var failed atomic.Int64
			var calling sync.WaitGroup
			for i := range calls {
				calling.Go(func() {
					_, err := fleet.Call(t.Context(), c, "s", "Say", fmt.Sprint("call ", i), client.WithAddress(links[0].Addr(), links[1].Addr()),
						client.WithIdempotent(idempotent), client.WithRetries(3), client.WithRequestTimeout(patience))
					if err != nil {
						failed.Add(1)
					}
				})
			}
			testkit.Eventually(t, patience, "all calls are being executed", func() bool { return first.total.Load()+second.total.Load() >= calls })
			lose.Store(false)
			for _, l := range links {
				l.Reset()
			}
			calling.Wait()
			made := int(first.total.Load() + second.total.Load())
			t.Logf("measured: %d calls, %d executions, %d failed", calls, made, failed.Load())
			if idempotent {
				atMost(t, "failed calls", int(failed.Load()), 10) // retries beyond the budget: ten, and 20 %
				if made == calls {
					t.Error("no call was made again")
				}
				return
			}
			atMost(t, "executions of one call", max(first.most(), second.most()), 1)
			if made != calls || failed.Load() != calls {
				t.Errorf("%d executions and %d failures of %d calls", made, failed.Load(), calls)
			}
		})
	}
}

// Row D6: every call fails, and each may be tried again, by v2's rule and by a method that
// is idempotent. The server sees 1.2 times the calls, and ten more.
func TestD6EveryCallFails(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]client.CallOption{"v2's rule": client.WithRetry(client.RetryOnError), "idempotent": client.WithIdempotent(true)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all executions
			r := memory.NewRegistry()
			fleet.Service(t, "s", r, nil, all.by(func(context.Context, string) error { return errors.InternalServerError("s", "down") }))
			begun := time.Now()
			load := fleet.StartLoad(t, fleet.Client(t, r, micro.Name("caller")), "s", 8, 0, opt, client.WithRetries(3), client.WithBackoff(noBackoff))
			load.More(t, times(600, 50_000))
			load.Stop()
			made, calls := int(all.total.Load()), load.Calls()
			t.Logf("measured: %d calls, %d requests, %.3f each", calls, made, float64(made)/float64(calls))
			atMost(t, "requests", made, calls+calls/5+10+int(time.Since(begun).Seconds()))
			if load.Failed() != calls || made < calls+calls/10 {
				t.Errorf("%d of %d calls failed, with %d requests", load.Failed(), calls, made)
			}
		})
	}
}

// noBackoff does not wait before an attempt.
func noBackoff(context.Context, client.Request, int) (time.Duration, error) { return 0, nil }

// Row D7: three layers of services, each of which tries every call again as v2 did by
// default, and a leaf that is down. What the leaf sees does not multiply.
func TestD7RetriesDoNotMultiply(t *testing.T) {
	t.Parallel()
	r := memory.NewRegistry()
	var leaf executions
	fleet.Service(t, "leaf", r, nil, leaf.by(func(context.Context, string) error { return errors.InternalServerError("leaf", "down") }))
	again := []client.CallOption{client.WithRetry(client.RetryOnError), client.WithRetries(1), client.WithBackoff(noBackoff)}
	layer := func(name, below string) {
		c := fleet.Client(t, r)
		var seen executions
		fleet.Service(t, name, r, nil, seen.by(func(ctx context.Context, text string) error {
			if _, err := fleet.Call(ctx, c, below, "Say", text, again...); err != nil {
				return errors.InternalServerError(name, "%v", err) // an error of its own
			}
			return nil
		}))
	}
	layer("middle", "leaf")
	layer("front", "middle")
	load := fleet.StartLoad(t, fleet.Client(t, r), "front", 8, 0, again...)
	load.More(t, times(200, 20_000))
	load.Stop()
	made, calls := int(leaf.total.Load()), load.Calls()
	t.Logf("measured: %d calls, %d requests at the leaf, %.3f each", calls, made, float64(made)/float64(calls))
	atMost(t, "requests at the leaf", made, calls+calls/2)
	if load.Failed() != calls || made < calls {
		t.Errorf("%d of %d calls failed, with %d requests", load.Failed(), calls, made)
	}
}
