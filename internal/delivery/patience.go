package delivery

import (
	"cmp"
	"context"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/defaults"
)

// Publishing returns the context of one publication: the publisher's, which ends after
// defaults.PublishTimeout if it has no deadline.
func Publishing(o broker.PublishOptions) (context.Context, context.CancelFunc) {
	ctx := o.Context
	if ctx == nil {
		ctx = context.Background()
	}
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, defaults.PublishTimeout)
}

// Stopping returns the context of one Disconnect, which ends after the grace that the
// options give what was taken.
func Stopping(o broker.Options) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), cmp.Or(max(o.StopGrace, 0), defaults.StopGrace))
}
