package ratelimit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/stub"
	"github.com/rollcall-go/micro/server"
	ratelimit "github.com/rollcall-go/micro/wrapper/ratelimiter/uber"
)

var hello = &stub.Request{Name: "greeter", Path: "Greeter.Hello"}

// elapsed is how long n calls take in a row.
func elapsed(t *testing.T, n int, f func() error) time.Duration {
	t.Helper()
	begun := time.Now()
	for range n {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(begun)
}

func TestRequestsAreSpreadEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, tc := range map[string]struct {
			rate int
			opts []ratelimit.Option
			want time.Duration // of 21 requests
		}{
			"the default has a slack of 10": {10, nil, time.Second},
			"without slack":                 {10, []ratelimit.Option{ratelimit.WithoutSlack}, 2 * time.Second},
			"in a minute":                   {10, []ratelimit.Option{ratelimit.WithSlack(0), ratelimit.Per(time.Minute)}, 2 * time.Minute},
			"with more slack":               {10, []ratelimit.Option{ratelimit.WithSlack(20)}, 0},
		} {
			c := ratelimit.NewClientWrapper(tc.rate, tc.opts...)(&stub.Client{})
			got := elapsed(t, 21, func() error { return c.Call(t.Context(), hello, nil) })
			if got.Round(time.Millisecond) != tc.want {
				t.Errorf("%s: 21 requests took %v, want %v", name, got, tc.want)
			}
			h := ratelimit.NewHandlerWrapper(tc.rate, tc.opts...)
			got = elapsed(t, 21, func() error {
				return h(func(context.Context, server.Request, any) error { return nil })(t.Context(), &stub.Served{}, nil)
			})
			if got.Round(time.Millisecond) != tc.want {
				t.Errorf("%s: a server: %v, want %v", name, got, tc.want)
			}
			s := ratelimit.NewSubscriberWrapper(tc.rate, tc.opts...)(func(context.Context, server.Message) error { return nil })
			if got := elapsed(t, 21, func() error { return s(t.Context(), &stub.Published{}) }); got.Round(time.Millisecond) != tc.want {
				t.Errorf("%s: a subscriber: %v, want %v", name, got, tc.want)
			}
		}
	})
}

// TestNobodyWaitsInVain refuses at once whose turn would come too late, and takes nothing
// from the others by that.
func TestNobodyWaitsInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		c := ratelimit.NewClientWrapper(1, ratelimit.WithoutSlack)(&stub.Client{
			OnCall: func(context.Context, client.Request, client.CallOptions) error { made++; return nil },
		})
		call := func(d time.Duration) (took time.Duration, err error) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			begun := time.Now()
			err = c.Call(ctx, hello, nil)
			return time.Since(begun), err
		}
		if _, err := call(time.Hour); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			took, err := call(900 * time.Millisecond)
			if e := errors.FromError(err); e.GetCode() != 429 || e.Id != "go.micro.client" || e.Detail != "too many requests: retry after 1s" || took != 0 {
				t.Fatalf("%v after %v", err, took)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		if err := c.Call(ctx, hello, nil); errors.FromError(err).GetCode() != 408 || ctx.Err() == nil {
			t.Errorf("cancelled while it waited: %v", err)
		}
		if took, err := call(time.Hour); err != nil || took.Round(time.Millisecond) != 999*time.Millisecond {
			t.Errorf("the next turn: %v after %v", err, took)
		}
		if made != 2 {
			t.Errorf("%d calls were made", made)
		}
		if err := c.Publish(t.Context(), &stub.Published{}); err != nil {
			t.Error(err)
		}
		if _, err := c.Stream(ctx, hello); err == nil {
			t.Error("a stream takes no turn")
		}
	})
}

func TestMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := ratelimit.NewHandlerWrapper(10, ratelimit.WithoutSlack, ratelimit.MaxWait(250*time.Millisecond))
		results := make(chan error)
		for range 10 {
			go func() {
				results <- h(func(context.Context, server.Request, any) error { return nil })(t.Context(), &stub.Served{}, nil)
			}()
		}
		served, refused := 0, 0
		for range 10 {
			switch err := <-results; errors.FromError(err).GetCode() {
			case 429:
				refused++
				if !strings.Contains(err.Error(), "retry after 300ms") {
					t.Errorf("refused with %v", err)
				}
			default:
				served++
			}
		}
		if served != 3 || refused != 7 {
			t.Errorf("%d served, %d refused", served, refused)
		}
	})
}

func TestALimitOfNothingSaysSo(t *testing.T) {
	for name, c := range map[string]client.Client{
		"rate": ratelimit.NewClientWrapper(0)(&stub.Client{}),
		"per":  ratelimit.NewClientWrapper(5, ratelimit.Per(0))(&stub.Client{}),
	} {
		if err := c.Call(t.Context(), hello, nil); errors.FromError(err).GetCode() != 500 || !strings.Contains(err.Error(), "above zero") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARequestInTimeAllocatesNothing(t *testing.T) {
	c, ctx := ratelimit.NewClientWrapper(1<<30)(&stub.Client{}), t.Context()
	if n := testing.AllocsPerRun(1000, func() { _ = c.Call(ctx, hello, nil) }); n > 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func ExampleNewHandlerWrapper() {
	// micro.NewService(micro.WrapHandler(limit)) does the same for a service.
	limit := ratelimit.NewHandlerWrapper(100, ratelimit.WithoutSlack, ratelimit.MaxWait(0))
	handler := limit(func(context.Context, server.Request, any) error { return nil })

	served := &stub.Served{Name: "greeter", Path: "Greeter.Hello"}
	fmt.Println(handler(context.Background(), served, nil))
	err := handler(context.Background(), served, nil)
	fmt.Println(errors.FromError(err).Code)
	// Output:
	// <nil>
	// 429
}
