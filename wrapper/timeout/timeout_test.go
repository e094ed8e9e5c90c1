package timeout_test

import (
	"context"
	stderrors "errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/stub"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/wrapper/timeout"
)

var opts = []timeout.Option{timeout.For("Slow", time.Minute), timeout.For("Free", 0), timeout.Streams(time.Hour)}

// within is how long ctx lasts, zero for ever.
func within(ctx context.Context) time.Duration {
	if d, ok := ctx.Deadline(); ok {
		return time.Until(d)
	}
	return 0
}

func TestEachHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got time.Duration
		note := func(ctx context.Context) error { got = within(ctx); return nil }
		handler := timeout.NewHandlerWrapper(time.Second, opts...)(func(ctx context.Context, _ server.Request, _ any) error { return note(ctx) })
		subscriber := timeout.NewSubscriberWrapper(time.Second, opts...)(func(ctx context.Context, _ server.Message) error { return note(ctx) })
		c := timeout.NewClientWrapper(time.Second, opts...)(&stub.Client{
			OnCall:    func(ctx context.Context, _ client.Request, _ client.CallOptions) error { return note(ctx) },
			OnPublish: func(ctx context.Context, _ client.Message) error { return note(ctx) },
			OnStream: func(ctx context.Context, _ client.Request, o client.CallOptions) (client.Stream, error) {
				if within(ctx) != 0 {
					t.Error("the stream itself is bounded")
				}
				got = o.RequestTimeout
				return nil, nil
			},
		})
		handle := func(ctx context.Context, name string) error {
			return handler(ctx, &stub.Served{Name: "greeter", Path: name}, nil)
		}
		for which, f := range map[string]func(ctx context.Context, name string) error{
			"handler":    handle,
			"subscriber": func(ctx context.Context, name string) error { return subscriber(ctx, &stub.Published{On: name}) },
			"call": func(ctx context.Context, name string) error {
				return c.Call(ctx, &stub.Request{Name: "greeter", Path: name}, nil)
			},
			"publish": func(ctx context.Context, name string) error { return c.Publish(ctx, &stub.Published{On: name}) },
			"stream": func(ctx context.Context, name string) error {
				_, err := c.Stream(ctx, &stub.Request{Name: "greeter", Path: name})
				return err
			},
		} {
			for name, want := range map[string]time.Duration{"Any": time.Second, "Slow": time.Minute, "Free": 0} {
				if err := f(t.Context(), name); err != nil || got != want {
					t.Errorf("%s of %s: within %v, want %v (%v)", which, name, got, want, err)
				}
			}
		}
		if err := handler(t.Context(), &stub.Served{Path: "Any", IsStream: true}, nil); err != nil || got != time.Hour {
			t.Errorf("a stream that is served: within %v", got)
		}
		sooner, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := handle(sooner, "Any"); err != nil || got != time.Millisecond {
			t.Errorf("a caller with less time: within %v", got)
		}
		for given, want := range map[time.Duration]time.Duration{time.Millisecond: time.Millisecond, time.Hour: time.Second} {
			if _, err := c.Stream(t.Context(), &stub.Request{Path: "Any"}, client.WithRequestTimeout(given)); err != nil || got != want {
				t.Errorf("a stream opened within %v: %v", given, got)
			}
		}
	})
}

func TestWhoTookLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := errors.Conflict("greeter", "no")
		wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		for name, tc := range map[string]struct {
			serve  func(context.Context) error
			code   int32
			detail string
		}{
			"the error of its context":     {wait, 408, `"Any" took longer than 1s`},
			"a 408 of a call of its own":   {func(ctx context.Context) error { _ = wait(ctx); return errors.Timeout("x", "late") }, 408, `"Any" took longer than 1s`},
			"an error of its own, late":    {func(ctx context.Context) error { _ = wait(ctx); return own }, 409, "no"},
			"an answer, late":              {func(ctx context.Context) error { _ = wait(ctx); return nil }, 0, ""},
			"an error in time":             {func(context.Context) error { return own }, 409, "no"},
			"a deadline of its own making": {func(context.Context) error { return context.DeadlineExceeded }, 0, "context deadline exceeded"},
		} {
			handler := timeout.NewHandlerWrapper(time.Second)(func(ctx context.Context, _ server.Request, _ any) error { return tc.serve(ctx) })
			err := handler(t.Context(), &stub.Served{Name: "greeter", Path: "Any"}, nil)
			if e := errors.FromError(err); e.GetCode() != tc.code || e.GetDetail() != tc.detail {
				t.Errorf("%s: %v", name, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		handler := timeout.NewHandlerWrapper(time.Second)(func(ctx context.Context, _ server.Request, _ any) error { return ctx.Err() })
		if err := handler(ctx, &stub.Served{}, nil); !stderrors.Is(err, context.Canceled) {
			t.Errorf("the caller went: %v", err)
		}
	})
}

func ExampleNewHandlerWrapper() {
	// micro.NewService(micro.WrapHandler(limit)) does the same for a service.
	limit := timeout.NewHandlerWrapper(5*time.Second, timeout.For("Greeter.Hello", time.Millisecond))
	handler := limit(func(ctx context.Context, _ server.Request, _ any) error {
		<-ctx.Done() // something that takes long and listens to its context
		return ctx.Err()
	})
	err := handler(context.Background(), &stub.Served{Name: "greeter", Path: "Greeter.Hello"}, nil)
	fmt.Println(errors.FromError(err).Detail)
	// Output: "Greeter.Hello" took longer than 1ms
}
