package grpc

import (
	"context"
	"time"
)

// streamContext lasts as long as its Context and has the values of another one, which
// may end earlier: that of the opening.
type streamContext struct {
	context.Context
	values context.Context
}

// Value asks the Context first, which has no values but what lets package context
// find it without a goroutine.
func (c streamContext) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.values.Value(key)
}

// lifetime returns the context of a stream opened under ctx, without values: it ends
// with ctx, after the timeout unless that is zero or less, and by cancel. release is
// to be called when the stream has ended.
func lifetime(ctx context.Context, timeout time.Duration) (life context.Context, cancel context.CancelFunc, release func()) {
	until, bounded := ctx.Deadline()
	itself := bounded // it ends by the deadline of ctx
	if timeout > 0 {
		if soon := time.Now().Add(timeout); !bounded || soon.Before(until) {
			until, bounded = soon, true
		}
	}
	if bounded {
		life, cancel = context.WithDeadline(context.Background(), until)
	} else {
		life, cancel = context.WithCancel(context.Background())
	}
	detach := context.AfterFunc(ctx, func() {
		if !itself || ctx.Err() != context.DeadlineExceeded {
			cancel()
		}
	})
	return life, cancel, func() {
		detach()
		cancel()
	}
}
