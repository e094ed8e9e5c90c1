package ratelimit_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/stub"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/wrapper/ratelimiter/ratelimit"
)

// bucket hands out tokens that come every d. The one of github.com/juju/ratelimit is tried
// beside the real v2.
type bucket struct {
	next time.Time
	d    time.Duration
}

func (b *bucket) Rate() float64 { return float64(time.Second) / float64(b.d) }

func (b *bucket) TakeAvailable(n int64) int64 {
	if _, ok := b.TakeMaxDuration(n, 0); ok {
		return n
	}
	return 0
}

func (b *bucket) TakeMaxDuration(n int64, most time.Duration) (time.Duration, bool) {
	now := time.Now()
	if b.next.Before(now) {
		b.next = now
	}
	wait := b.next.Sub(now)
	if wait > most {
		return 0, false
	}
	b.next = b.next.Add(time.Duration(n) * b.d)
	return wait, true
}

func serve(w server.HandlerWrapper, ctx context.Context) error {
	return w(func(context.Context, server.Request, any) error { return nil })(ctx, &stub.Served{}, nil)
}

func TestWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := ratelimit.NewHandlerWrapper(&bucket{d: 20 * time.Millisecond}, false)
		if err := serve(h, t.Context()); err != nil {
			t.Fatal(err)
		}
		err := serve(h, t.Context())
		if e := errors.FromError(err); e.GetCode() != 429 || e.Id != "go.micro.server" || e.Detail != "too many requests: retry after 20ms" {
			t.Errorf("the second request: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
		if err := serve(h, t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := ratelimit.NewClientWrapper(&bucket{d: time.Second}, true)(&stub.Client{})
		s := ratelimit.NewSubscriberWrapper(&bucket{d: time.Second}, true)(func(context.Context, server.Message) error { return nil })
		for name, f := range map[string]func(context.Context) error{
			"client":     func(ctx context.Context) error { return c.Call(ctx, &stub.Request{}, nil) },
			"subscriber": func(ctx context.Context) error { return s(ctx, &stub.Published{}) },
		} {
			begun := time.Now()
			for range 3 {
				if err := f(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(begun); took != 2*time.Second {
				t.Errorf("%s: three took %v", name, took)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			if err := f(ctx); errors.FromError(err).GetCode() != 429 {
				t.Errorf("%s: a deadline that is too near: %v", name, err)
			}
			cancel()
			if took := time.Since(begun); took != 2*time.Second {
				t.Errorf("%s: it waited in vain for %v", name, took-2*time.Second)
			}
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			if err := f(ctx); errors.FromError(err).GetCode() != 408 {
				t.Errorf("%s: cancelled: %v", name, err)
			}
			cancel()
		}
	})
}

func ExampleNewHandlerWrapper() {
	// With github.com/juju/ratelimit: ratelimit.NewBucketWithRate(100, 20).
	limit := ratelimit.NewHandlerWrapper(&bucket{d: time.Hour}, false)
	for range 2 {
		err := serve(limit, context.Background())
		fmt.Println(errors.FromError(err).GetCode())
	}
	// Output:
	// 0
	// 429
}
