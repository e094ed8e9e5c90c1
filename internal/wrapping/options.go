package wrapping

import (
	"context"
	"slices"

	"github.com/rollcall-go/micro/client"
)

// WithOptions returns a wrapper that gives each call and each stream the options before its
// own. What is published is passed on.
func WithOptions(options ...client.CallOption) client.Wrapper {
	return func(c client.Client) client.Client { return &adding{Client{c}, slices.Clip(slices.Clone(options))} }
}

type adding struct {
	Client
	options []client.CallOption
}

func (c *adding) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	return c.Client.Call(ctx, req, rsp, c.with(opts)...)
}

func (c *adding) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	return c.Client.Stream(ctx, req, c.with(opts)...)
}

// with allocates only for a call that has options of its own.
func (c *adding) with(opts []client.CallOption) []client.CallOption {
	if len(opts) == 0 {
		return c.options
	}
	return append(c.options, opts...)
}
