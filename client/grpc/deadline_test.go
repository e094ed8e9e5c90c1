package grpc

import (
	"context"
	stderrors "errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
)

// left answers with what is left of the deadline.
func left(ctx context.Context, _ string, _ func(any) error) (any, error) {
	d, ok := ctx.Deadline()
	if !ok {
		return wrapperspb.String("none"), nil
	}
	return wrapperspb.String(time.Until(d).Round(time.Second).String()), nil
}

func TestDeadline(t *testing.T) {
	n := serve(t, left)
	c := newClient(t, client.Registry(register(t, service("echo", n))), client.RequestTimeout(20*time.Second))
	minute, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, tt := range []struct {
		ctx  context.Context
		opts []client.CallOption
		want string
	}{
		{t.Context(), nil, "20s"},
		{t.Context(), []client.CallOption{client.WithRequestTimeout(30 * time.Second)}, "30s"},
		{t.Context(), []client.CallOption{client.WithRequestTimeout(0)}, "none"},
		{t.Context(), []client.CallOption{client.WithRetries(1)}, "20s"},
		{minute, nil, "1m0s"},
		{minute, []client.CallOption{client.WithRetries(1)}, "1m0s"},
		{minute, []client.CallOption{client.WithRequestTimeout(20 * time.Second)}, "20s"},
		{minute, []client.CallOption{client.WithRequestTimeout(2 * time.Minute)}, "1m0s"},
	} {
		if got, err := say(tt.ctx, c, "", tt.opts...); got != tt.want || err != nil {
			t.Errorf("%d options: %s left, %v, want %s", len(tt.opts), got, err, tt.want)
		}
	}
}

func TestContextThatIsDone(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	for _, ctx := range []context.Context{cancelled, late} {
		_, err := say(ctx, c, "x")
		if e := fault(t, err); e.Code != 408 || e.Detail != ctx.Err().Error() || !stderrors.Is(err, ctx.Err()) {
			t.Errorf("got %v", e)
		}
	}
	if n.calls.Load() != 0 {
		t.Error("the call was made")
	}
}

func TestDeadlineOfASlowServer(t *testing.T) {
	n := serve(t, func(ctx context.Context, _ string, _ func(any) error) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	_, err := say(t.Context(), c, "x", client.WithRequestTimeout(50*time.Millisecond))
	if e := fault(t, err); e.Code != 408 || !strings.HasPrefix(e.Detail, "context deadline exceeded") {
		t.Errorf("got %v", e)
	}
}

func TestCancel(t *testing.T) {
	arrived := make(chan struct{})
	n := serve(t, func(ctx context.Context, _ string, _ func(any) error) (any, error) {
		close(arrived)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan error, 1)
	go func() {
		_, err := say(ctx, c, "x", client.WithRetry(client.RetryAlways))
		heard <- err
	}()
	<-arrived
	cancel()
	err := <-heard
	if e := fault(t, err); e.Code != 408 || e.Detail != "context canceled" || !stderrors.Is(err, context.Canceled) {
		t.Errorf("got %v", e)
	}
}

// TestNothingIsWrittenAfterReturn makes calls whose answers come about when their
// deadlines do. The race detector sees what is written too late.
func TestNothingIsWrittenAfterReturn(t *testing.T) {
	t.Parallel()
	const workers, calls = 8, 1250
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	mustSay(t, c, "x")
	type outcome struct {
		rsp  *wrapperspb.StringValue
		then string
	}
	failed := make(chan []outcome, workers)
	for range workers {
		go func() {
			var mine []outcome
			for range calls {
				rsp := &wrapperspb.StringValue{}
				err := c.Call(context.Background(), c.NewRequest("echo", "Echo.Say", wrapperspb.String("x")), rsp,
					client.WithRequestTimeout(time.Millisecond))
				if err != nil {
					mine = append(mine, outcome{rsp, rsp.Value})
				}
			}
			failed <- mine
		}()
	}
	late := 0
	for range workers {
		for _, o := range <-failed {
			late++
			if o.rsp.Value != o.then {
				t.Errorf("a response changed from %q to %q after the call", o.then, o.rsp.Value)
			}
		}
	}
	t.Logf("%d of %d calls failed", late, workers*calls)
	mustSay(t, c, "y")
}

// unfired is a context whose deadline has passed while its timer has yet to say
// so.
type unfired struct{ context.Context }

func (unfired) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

func TestDeadlineThatHasPassedUnnoticed(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	mustSay(t, c, "x")
	asked := 0
	_, err := say(unfired{t.Context()}, c, "x", client.WithRetry(func(context.Context, client.Request, int, error) (bool, error) {
		asked++
		return true, nil
	}))
	if e := fault(t, err); e.Code != 408 || !stderrors.Is(err, context.DeadlineExceeded) || asked > 0 {
		t.Errorf("got %v, asked %d times for a retry", e, asked)
	}
}
