package grpc

import (
	"context"
	"reflect"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/protomsg"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/tracing"
	"github.com/rollcall-go/micro/server"
)

// interceptors stand in front of everything that grpc serves. The services of
// RegisterService get through them what handlers have: the wrappers, the metadata,
// answers for panics. They are made before the grpc.Server and completed before it
// serves.
type interceptors struct {
	calls    *atomic.Pointer[calls]
	recovery *recovery
	methods  map[string]method // of the services of RegisterService, by path
	// nilServices tells that a service of RegisterService has no implementation.
	nilServices bool

	streams endlessStreams
}

// method is a method of a service of RegisterService.
type method struct {
	endpoint string
	response reflect.Type // what the response points to; nil if nobody knows
	endless  bool         // a stream that does not end by itself

	oneRequest bool // a stream of the server alone
}

func (i *interceptors) options() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(i.unary), grpc.ChainStreamInterceptor(i.stream)}
}

func (i *interceptors) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (rsp any, err error) {
	err = i.recovery.run(ctx, func() (err error) {
		// What grpc itself was called by: a service written by hand may say anything in info.
		path, ok := grpc.Method(ctx)
		if !ok {
			path = info.FullMethod
		}
		if m, ok := i.methods[path]; ok {
			c := i.calls.Load()
			if rsp, err = c.generatedUnary(ctx, m, req, next); err == nil {
				c.compressMessage(ctx, rsp)
			}
		} else {
			rsp, err = next(ctx, req)
		}
		return err
	})
	return rsp, err
}

func (i *interceptors) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	return i.recovery.run(stream.Context(), func() error {
		var m method
		generated := false
		if srv != nil || i.nilServices {
			m, generated = i.methods[info.FullMethod]
		}
		switch {
		case !generated && srv == nil: // grpcServer.serve
			return next(srv, stream)
		case !generated: // a service of the server itself
			return i.endless(srv, stream, next)
		}
		if m.oneRequest {
			info.IsClientStream = false // for the interceptors of the program; info is this call's alone
		}
		through := func(srv any, stream grpc.ServerStream) error {
			return i.calls.Load().generatedStream(srv, stream, m, next)
		}
		if m.endless {
			return i.endless(srv, stream, through)
		}
		return through(srv, stream)
	})
}

// generatedUnary serves a call of a service of RegisterService through the wrappers.
func (c *calls) generatedUnary(ctx context.Context, m method, req any, next grpc.UnaryHandler) (_ any, err error) {
	defer c.enter()()
	defer func() { c.observer.count(err) }()
	if c.limit != nil {
		var in entered
		if in, err = c.limit.enter(false); err != nil {
			return nil, err
		}
		defer in.leave(&err)
	}
	h := rpc.Incoming(ctx)
	ctx, cancel := contextOf(ctx, h)
	defer cancel()
	if ctx.Err() != nil {
		return nil, tooLate(ctx)
	}
	ctx, sp := c.observer.begin(ctx, h, c.name, m.endpoint)
	defer func() { sp.End(err) }()
	if len(c.wrappers) == 0 {
		return next(ctx, req)
	}
	serve := func(ctx context.Context, _ server.Request, rsp any) (err error) {
		defer c.recovery.recoverTo(&err)
		out, err := next(ctx, req)
		if err != nil {
			return err
		}
		return fill(rsp, out)
	}
	r := &request{service: c.name, endpoint: m.endpoint, contentType: h.ContentType, body: req, message: req, codec: rpc.Proto}
	if m.response == nil {
		var rsp any
		err = c.wrap(serve)(ctx, r, &rsp)
		return rsp, err
	}
	rsp := reflect.New(m.response).Interface()
	return rsp, c.wrap(serve)(ctx, r, rsp)
}

// fill makes the response that the wrappers have the one that the service returned.
// It copies: the service may keep what it returned, and the wrappers may change what
// they are given.
func fill(rsp, out any) error {
	if to, ok := rsp.(*any); ok {
		*to = out
		return nil
	}
	if reflect.TypeOf(rsp) != reflect.TypeOf(out) {
		return errors.InternalServerError(rpc.ServerID, "a wrapper replaced the response by a %T, where the service returns a %T", rsp, out)
	}
	to, ok := protomsg.Of(rsp)
	from, fromOK := protomsg.Of(out)
	if !ok || !fromOK {
		reflect.ValueOf(rsp).Elem().Set(reflect.ValueOf(out).Elem())
		return nil
	}
	proto.Reset(to)
	proto.Merge(to, from)
	return nil
}

// generatedStream serves a stream of a service of RegisterService through the
// wrappers, which get the stream in the place of the response.
func (c *calls) generatedStream(srv any, stream grpc.ServerStream, m method, next grpc.StreamHandler) (err error) {
	defer c.enter()()
	if !m.endless {
		defer func() { c.observer.count(err) }()
	}
	if c.limit != nil && !m.endless {
		var in entered
		if in, err = c.limit.enter(true); err != nil {
			return err
		}
		defer in.leave(&err)
	}
	h := rpc.Incoming(stream.Context())
	ctx, cancel := contextOf(stream.Context(), h)
	defer cancel()
	if ctx.Err() != nil {
		return tooLate(ctx)
	}
	if !m.endless {
		var sp tracing.Span
		ctx, sp = c.observer.begin(ctx, h, c.name, m.endpoint)
		defer func() { sp.End(err) }()
	}
	defer c.streams.enter(ctx, stream).leave()
	if len(c.wrappers) == 0 {
		return next(srv, &contextStream{stream, ctx})
	}
	r := &request{service: c.name, endpoint: m.endpoint, contentType: h.ContentType, codec: rpc.Proto, stream: true}
	serve := func(ctx context.Context, _ server.Request, rsp any) (err error) {
		defer c.recovery.recoverTo(&err)
		through, ok := rsp.(server.Stream)
		if !ok {
			return notAStream(m.endpoint, rsp)
		}
		return next(srv, &wrappedStream{contextStream{stream, ctx}, through})
	}
	return c.wrap(serve)(ctx, r, &generatedStream{contextStream: contextStream{stream, ctx}, request: r})
}
