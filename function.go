package micro

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/server"
)

// function is the Function of this package: a service whose context is over
// after its first request.
type function struct {
	*service
	done context.CancelFunc
}

var _ Function = (*function)(nil)

func newFunction(opts ...Option) *function {
	f := &function{}
	opts = append([]Option{
		RegisterTTL(time.Minute),
		RegisterInterval(30 * time.Second),
		WrapHandler(f.endRequest),
		WrapSubscriber(f.endMessage),
		serverOption(server.Wait(nil)),
	}, opts...)
	f.service = newService(append(opts, f.ownContext)...)
	return f
}

// ownContext makes Done end the function, below whatever context the program
// gave.
func (f *function) ownContext(o *Options) {
	o.Context, f.done = context.WithCancel(o.Context)
}

func (f *function) Done() error {
	f.done()
	return nil
}

func (f *function) Handle(v any) error {
	return RegisterHandler(f.Server(), v)
}

func (f *function) Subscribe(topic string, v any) error {
	return RegisterSubscriber(topic, f.Server(), v)
}

func (f *function) endRequest(next server.HandlerFunc) server.HandlerFunc {
	return func(ctx context.Context, req server.Request, rsp any) error {
		if !aboutService(req.Endpoint()) {
			defer f.done()
		}
		return next(ctx, req, rsp)
	}
}

func (f *function) endMessage(next server.SubscriberFunc) server.SubscriberFunc {
	return func(ctx context.Context, msg server.Message) error {
		defer f.done()
		return next(ctx, msg)
	}
}
