package delivery

import (
	"cmp"
	"context"
	"errors"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/settings"
)

// CheckPublish returns what can never be published, whatever the broker.
func CheckPublish(topic string, m *broker.Message, o broker.PublishOptions) error {
	switch {
	case topic == "":
		return errors.New("the topic is empty")
	case m == nil:
		return errors.New("the message is nil")
	}
	return settings.Ended(o.Context)
}

// CheckSubscribe returns what can never be subscribed to, whatever the broker.
func CheckSubscribe(topic string, h broker.Handler) error {
	switch {
	case topic == "":
		return errors.New("the topic is empty")
	case h == nil:
		return errors.New("the handler is nil")
	}
	return nil
}

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
