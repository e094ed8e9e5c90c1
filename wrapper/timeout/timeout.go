// Package timeout bounds how long calls, requests and messages may take, each endpoint and
// topic as it needs. Nothing is abandoned: what runs out of time sees it by its context, and
// who waits for it waits until it has returned.
package timeout

import (
	"context"
	stderrors "errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/wrapping"
	"github.com/rollcall-go/micro/server"
)

// Option sets what a wrapper bounds.
type Option func(*bounds)

type bounds struct {
	all     time.Duration
	own     map[string]time.Duration // by endpoint or topic
	streams time.Duration
}

// For bounds one endpoint, such as "Greeter.Hello", or one topic by d, in place of the
// wrapper's time. Zero or less means no bound.
func For(name string, d time.Duration) Option {
	return func(b *bounds) { b.own[name] = d }
}

// Streams bounds how long a stream may last that a handler serves and that For does not
// name. Without it there is no bound: the wrapper's time is one for requests.
func Streams(d time.Duration) Option {
	return func(b *bounds) { b.streams = d }
}

func newBounds(d time.Duration, opts []Option) *bounds {
	b := &bounds{all: d, own: map[string]time.Duration{}}
	for _, o := range opts {
		o(b)
	}
	return b
}

// of returns the bound for a name, zero or less for none.
func (b *bounds) of(name string, otherwise time.Duration) time.Duration {
	if d, ok := b.own[name]; ok {
		return d
	}
	return otherwise
}

// within calls f with a context that ends after d, or when ctx does. If f returns with the
// error of a context that ended after d, what is returned is an *errors.Error of code 408.
func within(ctx context.Context, d time.Duration, id, name string, f func(context.Context) error) error {
	if d <= 0 {
		return f(ctx)
	}
	inner, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	err := f(inner)
	if err == nil || inner.Err() == nil || ctx.Err() != nil {
		return err
	}
	if !stderrors.Is(err, context.DeadlineExceeded) && errors.FromError(err).GetCode() != http.StatusRequestTimeout {
		return err // of its own, though late
	}
	return errors.Wrap(id, fmt.Sprintf("%q took longer than %v", name, d), http.StatusRequestTimeout, err)
}

// NewHandlerWrapper bounds how long a request may be served: the handler's context ends after
// d, or with the deadline of the caller if that is earlier. A handler that then returns the
// error of its context is answered for with code 408.
func NewHandlerWrapper(d time.Duration, opts ...Option) server.HandlerWrapper {
	b := newBounds(d, opts)
	return func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			otherwise := b.all
			if req.Stream() {
				otherwise = b.streams
			}
			return within(ctx, b.of(req.Endpoint(), otherwise), req.Service(), req.Endpoint(), func(ctx context.Context) error {
				return next(ctx, req, rsp)
			})
		}
	}
}

// NewSubscriberWrapper bounds how long a subscriber may take for a message, as
// NewHandlerWrapper does.
func NewSubscriberWrapper(d time.Duration, opts ...Option) server.SubscriberWrapper {
	b := newBounds(d, opts)
	return func(next server.SubscriberFunc) server.SubscriberFunc {
		return func(ctx context.Context, msg server.Message) error {
			return within(ctx, b.of(msg.Topic(), b.all), msg.Topic(), msg.Topic(), func(ctx context.Context) error { return next(ctx, msg) })
		}
	}
}

// NewClientWrapper bounds calls with all their attempts, the openings of streams, and what is
// published. It can only shorten: the earliest of d, the context's deadline and the call's own
// client.WithRequestTimeout counts.
func NewClientWrapper(d time.Duration, opts ...Option) client.Wrapper {
	b := newBounds(d, opts)
	return func(c client.Client) client.Client { return &clientWrapper{wrapping.Client{Client: c}, b} }
}

type clientWrapper struct {
	wrapping.Client
	bounds *bounds
}

func (c *clientWrapper) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	if req == nil {
		return c.Client.Call(ctx, req, rsp, opts...)
	}
	return within(ctx, c.bounds.of(req.Endpoint(), c.bounds.all), req.Service(), req.Endpoint(), func(ctx context.Context) error {
		return c.Client.Call(ctx, req, rsp, opts...)
	})
}

func (c *clientWrapper) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	if req != nil {
		// It bounds the opening alone; a context would end the stream.
		if d := c.bounds.of(req.Endpoint(), c.bounds.all); d > 0 {
			opts = append(opts[:len(opts):len(opts)], shorter(d))
		}
	}
	return c.Client.Stream(ctx, req, opts...)
}

// shorter is client.WithRequestTimeout, unless the time given already is shorter.
func shorter(d time.Duration) client.CallOption {
	return func(o *client.CallOptions) {
		if !client.Given(*o, client.SettingRequestTimeout) || o.RequestTimeout <= 0 || o.RequestTimeout > d {
			client.WithRequestTimeout(d)(o)
		}
	}
}

func (c *clientWrapper) Publish(ctx context.Context, msg client.Message, opts ...client.PublishOption) error {
	if msg == nil {
		return c.Client.Publish(ctx, msg, opts...)
	}
	return within(ctx, c.bounds.of(msg.Topic(), c.bounds.all), msg.Topic(), msg.Topic(), func(ctx context.Context) error {
		return c.Client.Publish(ctx, msg, opts...)
	})
}
