// Package wrapper has the wrappers that v2 put around the client and the handlers of each
// service. Services of this module have them, or what does the same, already; this is for
// programs that put them around something else.
package wrapper

import (
	"context"
	"strings"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/debug/stats"
	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/internal/authcall"
	"github.com/rollcall-go/micro/internal/tracing"
	"github.com/rollcall-go/micro/internal/wrapping"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// HeaderPrefix begins the name of the header of FromService. A program may set it before it
// makes a client.
var HeaderPrefix = "Micro-"

// FromService returns a client that says of which service it is, unless the metadata in the
// context says so already.
func FromService(name string, c client.Client) client.Client {
	return &from{wrapping.Client{Client: c}, metadata.Metadata{HeaderPrefix + "From-Service": name}}
}

type from struct {
	wrapping.Client
	headers metadata.Metadata
}

func (f *from) put(ctx context.Context) context.Context {
	return metadata.MergeContext(ctx, f.headers, false)
}

func (f *from) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	return f.Client.Call(f.put(ctx), req, rsp, opts...)
}

func (f *from) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	return f.Client.Stream(f.put(ctx), req, opts...)
}

func (f *from) Publish(ctx context.Context, msg client.Message, opts ...client.PublishOption) error {
	return f.Client.Publish(f.put(ctx), msg, opts...)
}

// StaticClient returns a client that calls the address, whatever the registry says.
func StaticClient(address string, c client.Client) client.Client {
	return wrapping.WithOptions(client.WithAddress(address))(c)
}

// CacheClient returns a client that answers calls made with client.WithCache from the cache.
func CacheClient(cacheFn func() *client.Cache, c client.Client) client.Client {
	return wrapping.Cached(cacheFn, c)
}

// AuthClient returns a client whose calls and streams show the token of the Auth.
func AuthClient(auth func() auth.Auth, c client.Client) client.Client {
	return authcall.Client(auth, nil, c)
}

// AuthHandler returns the wrapper that has the Auth judge who calls.
func AuthHandler(fn func() auth.Auth) server.HandlerWrapper { return authcall.Handler(fn) }

// HandlerStats returns the wrapper that counts requests.
func HandlerStats(stats stats.Stats) server.HandlerWrapper {
	return func(h server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			err := h(ctx, req, rsp)
			_ = stats.Record(err) // the request is served all the same
			return err
		}
	}
}

// TraceCall returns a client that makes each call within a span of its own. The name is not
// used, as in v2.
func TraceCall(_ string, t trace.Tracer, c client.Client) client.Client {
	return &traced{wrapping.Client{Client: c}, t}
}

type traced struct {
	wrapping.Client
	tracer trace.Tracer
}

func (c *traced) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	ctx, span := tracing.Start(ctx, c.tracer, trace.SpanTypeRequestOutbound, req.Service(), req.Endpoint())
	err := c.Client.Call(ctx, req, rsp, opts...)
	span.End(err)
	return err
}

// TraceHandler returns the wrapper that serves each request within a span of its own, but
// for those to Debug.
func TraceHandler(t trace.Tracer) server.HandlerWrapper {
	return func(h server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			if strings.HasPrefix(req.Endpoint(), "Debug.") {
				return h(ctx, req, rsp)
			}
			ctx, span := tracing.Start(ctx, t, trace.SpanTypeRequestInbound, req.Service(), req.Endpoint())
			err := h(ctx, req, rsp)
			span.End(err)
			return err
		}
	}
}
