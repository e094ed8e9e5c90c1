package throttle

import (
	"context"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/wrapping"
	"github.com/rollcall-go/micro/server"
)

// Take waits for the turn of one request, or says why it is not served.
type Take func(ctx context.Context, id string) error

// Client returns a wrapper whose calls, and openings of streams, take a turn each. What is
// published is passed on.
func Client(take Take) client.Wrapper {
	return func(c client.Client) client.Client { return &limited{wrapping.Client{Client: c}, take} }
}

type limited struct {
	wrapping.Client
	take Take
}

func (c *limited) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	if err := c.take(ctx, ClientID); err != nil {
		return err
	}
	return c.Client.Call(ctx, req, rsp, opts...)
}

func (c *limited) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	if err := c.take(ctx, ClientID); err != nil {
		return nil, err
	}
	return c.Client.Stream(ctx, req, opts...)
}

// Handler returns a wrapper whose requests take a turn each, a stream counting as one.
func Handler(take Take) server.HandlerWrapper {
	return func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			if err := take(ctx, ServerID); err != nil {
				return err
			}
			return next(ctx, req, rsp)
		}
	}
}

// Subscriber returns a wrapper whose messages take a turn each.
func Subscriber(take Take) server.SubscriberWrapper {
	return func(next server.SubscriberFunc) server.SubscriberFunc {
		return func(ctx context.Context, msg server.Message) error {
			if err := take(ctx, ServerID); err != nil {
				return err
			}
			return next(ctx, msg)
		}
	}
}
