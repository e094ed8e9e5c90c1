package grpc

import (
	"context"
	stderrors "errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
)

func TestOnlyTheUnwrittenIsRetried(t *testing.T) {
	hang := func(ctx context.Context, _ string, _ func(any) error) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	fail := func(context.Context, string, func(any) error) (any, error) {
		return nil, errors.InternalServerError("my.id", "failed")
	}
	for name, f := range map[string]answer{"deadline": hang, "error 500": fail} {
		a, b := serve(t, f), serve(t, f)
		c := newClient(t, client.Registry(register(t, service("echo", a, b))), client.Retries(3))
		_, err := say(t.Context(), c, "x", client.WithRequestTimeout(200*time.Millisecond))
		if code := fault(t, err).Code; code != 408 && code != 500 {
			t.Errorf("%s: got %v", name, err)
		}
		if got := a.calls.Load() + b.calls.Load(); got != 1 {
			t.Errorf("%s: the handlers were called %d times", name, got)
		}
	}
}

func TestRetryIsObeyed(t *testing.T) {
	a := serve(t, func(context.Context, string, func(any) error) (any, error) {
		return nil, errors.BadRequest("my.id", "no")
	})
	b := serve(t, func(context.Context, string, func(any) error) (any, error) {
		return nil, errors.Conflict("my.id", "no")
	})
	mine := stderrors.New("mine")
	c := newClient(t, client.Registry(register(t, service("echo", a, b))),
		client.Backoff(func(context.Context, client.Request, int) (time.Duration, error) { return 0, nil }))
	for _, tt := range []struct {
		retries, calls int
		retry          client.RetryFunc
		want           error
	}{
		{3, 4, client.RetryAlways, nil},
		{0, 1, client.RetryAlways, nil},
		{3, 1, client.RetryOnError, nil},
		{3, 2, func(_ context.Context, _ client.Request, n int, _ error) (bool, error) { return n == 0, nil }, nil},
		{3, 1, func(context.Context, client.Request, int, error) (bool, error) { return true, mine }, mine},
	} {
		before := a.calls.Load() + b.calls.Load()
		_, err := say(t.Context(), c, "x", client.WithRetries(tt.retries), client.WithRetry(tt.retry))
		if tt.want != nil && err != tt.want || tt.want == nil && fault(t, err).Id != "my.id" {
			t.Errorf("got %v, want %v", err, tt.want)
		}
		if got := a.calls.Load() + b.calls.Load() - before; got != int64(tt.calls) {
			t.Errorf("%d retries: %d calls, want %d", tt.retries, got, tt.calls)
		}
	}
	if a.calls.Load() == 0 || b.calls.Load() == 0 {
		t.Error("retries went to the node that was tried")
	}
}

func TestBackoff(t *testing.T) {
	n := serve(t, func(context.Context, string, func(any) error) (any, error) {
		return nil, errors.BadRequest("my.id", "no")
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))), client.Retry(client.RetryAlways), client.Retries(5))
	begun := time.Now()
	_, err := say(t.Context(), c, "x", client.WithRequestTimeout(50*time.Millisecond),
		client.WithBackoff(func(_ context.Context, _ client.Request, n int) (time.Duration, error) {
			return time.Duration(n) * time.Hour, nil
		}))
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("the wait did not end with the deadline, but after %v", took)
	}
	if e := fault(t, err); e.Code != 408 || !strings.HasPrefix(e.Detail, "context deadline exceeded") {
		t.Errorf("got %v", e)
	}
	_, err = say(t.Context(), c, "x", client.WithBackoff(func(context.Context, client.Request, int) (time.Duration, error) {
		return 0, stderrors.New("100% no")
	}))
	if e := fault(t, err); e.Code != 500 || e.Detail != "100% no" {
		t.Errorf("got %v", e)
	}
}

func TestNoBackoffOnTheWayElsewhere(t *testing.T) {
	a, b := serve(t, echo), serve(t, echo)
	a.server.Stop()
	c := newClient(t)
	var paused []int
	backoff := client.WithBackoff(func(_ context.Context, _ client.Request, n int) (time.Duration, error) {
		paused = append(paused, n)
		return 0, nil
	})
	mustSay(t, c, "x", client.WithAddress(a.Address, b.Address), backoff)
	if len(paused) != 1 || paused[0] != 0 {
		t.Errorf("paused before %v", paused)
	}
}
