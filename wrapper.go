package micro

import (
	"context"
	"sync/atomic"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// headerFrom is the header in which a call says which service it comes from.
const headerFrom = HeaderPrefix + "From-Service"

// name is the name of a service together with the headers that say it, so that
// a call need not make them, and with what traces the calls.
type name struct{ v atomic.Pointer[nameAndHeader] }

type nameAndHeader struct {
	name   string
	header metadata.Metadata // shared, never written
	tracer trace.Tracer      // nil: traces that arrived are kept by the default one
}

func (n *name) set(o server.Options) {
	n.v.Store(&nameAndHeader{name: o.Name, header: metadata.Metadata{headerFrom: o.Name}, tracer: o.Tracer})
}

func (n *name) get() string {
	if v := n.v.Load(); v != nil {
		return v.name
	}
	return ""
}

// put returns ctx with the header in it. What an incoming request said about its
// own sender is not passed on: the next call comes from this service.
func (n *name) put(ctx context.Context) context.Context {
	v := n.v.Load()
	if v == nil {
		return ctx
	}
	if !metadata.Has(ctx) {
		return metadata.NewContext(ctx, v.header)
	}
	return metadata.Set(ctx, headerFrom, v.name)
}

// named puts the service's name on everything that its client sends.
type named struct {
	client.Client
	name *name
}

func (c *named) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	t := c.name.tracerOf(ctx)
	ctx = c.name.put(ctx)
	if t != nil && req != nil {
		return c.traced(ctx, t, req, rsp, opts)
	}
	return c.Client.Call(ctx, req, rsp, opts...)
}

func (c *named) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	return c.Client.Stream(c.name.put(ctx), req, opts...)
}

func (c *named) Publish(ctx context.Context, msg client.Message, opts ...client.PublishOption) error {
	return c.Client.Publish(c.name.put(ctx), msg, opts...)
}
