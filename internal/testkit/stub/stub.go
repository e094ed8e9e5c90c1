// Package stub stands in for clients, requests and messages in tests of wrappers.
package stub

import (
	"context"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/server"
)

// Client is a client that does what its fields say; nil means that it succeeds.
type Client struct {
	client.Client
	OnCall    func(ctx context.Context, req client.Request, opts client.CallOptions) error
	OnStream  func(ctx context.Context, req client.Request, opts client.CallOptions) (client.Stream, error)
	OnPublish func(ctx context.Context, msg client.Message) error
}

func applied(opts []client.CallOption) (o client.CallOptions) {
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Call calls OnCall.
func (c *Client) Call(ctx context.Context, req client.Request, _ any, opts ...client.CallOption) error {
	if c.OnCall == nil {
		return nil
	}
	return c.OnCall(ctx, req, applied(opts))
}

// Stream calls OnStream.
func (c *Client) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	if c.OnStream == nil {
		return nil, nil
	}
	return c.OnStream(ctx, req, applied(opts))
}

// Publish calls OnPublish.
func (c *Client) Publish(ctx context.Context, msg client.Message, _ ...client.PublishOption) error {
	if c.OnPublish == nil {
		return nil
	}
	return c.OnPublish(ctx, msg)
}

// Request is what a client sends.
type Request struct {
	client.Request
	Name, Path string
	Value      any
}

func (r *Request) Service() string  { return r.Name }
func (r *Request) Endpoint() string { return r.Path }
func (r *Request) Body() any        { return r.Value }

// Served is what a server's wrappers see.
type Served struct {
	server.Request
	Name, Path string
	Value      any
	IsStream   bool
}

func (r *Served) Service() string  { return r.Name }
func (r *Served) Endpoint() string { return r.Path }
func (r *Served) Body() any        { return r.Value }
func (r *Served) Stream() bool     { return r.IsStream }

// Published is a message that is published, and that arrived.
type Published struct {
	server.Message
	On    string
	Value any
}

func (m *Published) Topic() string       { return m.On }
func (m *Published) Payload() any        { return m.Value }
func (m *Published) ContentType() string { return "application/json" }
