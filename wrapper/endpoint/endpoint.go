// Package endpoint applies a wrapper to some endpoints alone.
package endpoint

import (
	"context"
	"slices"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/wrapping"
	"github.com/rollcall-go/micro/server"
)

// NewClientWrapper returns a wrapper that applies cw to calls and streams of the given
// endpoints, such as "Greeter.Hello", of whatever service. What is published, and other
// endpoints, is passed on. cw is called once for each client.
func NewClientWrapper(cw client.Wrapper, eps ...string) client.Wrapper {
	eps = slices.Clone(eps)
	return func(c client.Client) client.Client {
		return &clientWrapper{Client: wrapping.Client{Client: c}, wrapped: cw(c), endpoints: eps}
	}
}

type clientWrapper struct {
	wrapping.Client
	wrapped   client.Client
	endpoints []string
}

func (c *clientWrapper) of(req client.Request) client.Client {
	if req != nil && slices.Contains(c.endpoints, req.Endpoint()) {
		return c.wrapped
	}
	return c.Client.Client
}

func (c *clientWrapper) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	return c.of(req).Call(ctx, req, rsp, opts...)
}

func (c *clientWrapper) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	return c.of(req).Stream(ctx, req, opts...)
}

// NewHandlerWrapper returns a wrapper that applies hw to requests of the given endpoints,
// such as "Greeter.Hello".
func NewHandlerWrapper(hw server.HandlerWrapper, eps ...string) server.HandlerWrapper {
	eps = slices.Clone(eps)
	return func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			if slices.Contains(eps, req.Endpoint()) {
				return hw(next)(ctx, req, rsp)
			}
			return next(ctx, req, rsp)
		}
	}
}
