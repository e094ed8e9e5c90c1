package grpc

import (
	"context"
	stderrors "errors"
	"io"
	"net/http"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/server"
)

// calls is what serving a call needs of the options. It is replaced, never
// changed.
type calls struct {
	name     string
	router   server.Router
	wrappers []server.HandlerWrapper
	codecs   rpc.Codecs
	waiting  *sync.WaitGroup // given by server.Wait; may be nil
	maxSend  int             // zero if only grpc knows
}

func newCalls(o server.Options) *calls {
	set := settingsOf(o.Context)
	c := &calls{
		name:     o.Name,
		router:   o.Router,
		wrappers: o.HdlrWrappers,
		codecs:   rpc.NewServerCodecs(set.codecs),
		maxSend:  set.limit(),
	}
	if set.maxMsgSize <= 0 && len(set.grpc) > 0 {
		c.maxSend = 0 // they may say otherwise
	}
	if o.Context != nil {
		c.waiting, _ = o.Context.Value("wait").(*sync.WaitGroup)
	}
	return c
}

// serve serves every call that is not for a service registered with grpc itself.
// What it returns is a gRPC status.
func (s *grpcServer) serve(_ any, stream grpc.ServerStream) (err error) {
	c := s.calls.Load()
	if c.waiting != nil {
		c.waiting.Add(1)
		defer c.waiting.Done()
	}
	defer func() { err = statusOf(err) }()
	// Outside of the wrappers, which may panic as well as what they wrap.
	defer recoverTo(&err)

	path, _ := grpc.MethodFromServerStream(stream)
	handler, method, err := rpc.SplitPath(path)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	h := rpc.Incoming(stream.Context())
	ctx := h.NewContext(stream.Context())
	if h.HasTimeout {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.Timeout)
		defer cancel()
	}
	if c.router != nil {
		return c.route(ctx, stream, path, handler+"."+method, h.ContentType)
	}
	m, err := s.table.Find(handler, method)
	if err != nil {
		return err
	}
	if m.Stream {
		return status.Errorf(codes.Unimplemented, "stream %s: streams are not in this release", m.Endpoint)
	}
	return c.unary(ctx, stream, m, h.ContentType)
}

// unary reads the request, calls the method through the wrappers and sends the
// response.
func (c *calls) unary(ctx context.Context, stream grpc.ServerStream, m *rpc.Method, contentType string) error {
	codec, err := c.codecs.Find(contentType)
	if err != nil {
		return errors.New(rpc.ServerID, err.Error(), http.StatusInternalServerError)
	}
	call := m.NewCall()
	body := &rpc.Body{Codec: codec, Value: call.Target()}
	switch err := stream.RecvMsg(body); {
	case stderrors.Is(err, io.EOF):
		return status.Errorf(codes.Internal, "call %s: the client sent no request", m.Endpoint)
	case err != nil:
		// grpc has answered with it already.
		return err
	}
	req := &request{service: c.name, endpoint: m.Endpoint, contentType: contentType, body: call.Request(), message: call.Target(), codec: codec}
	serve := func(ctx context.Context, _ server.Request, rsp any) (err error) {
		defer recoverTo(&err)
		return call.Invoke(ctx, rsp)
	}
	if err := c.wrap(serve)(ctx, req, call.Response); err != nil {
		return err
	}
	body.Value = call.Response
	return c.send(stream, body)
}

// send sends one message. It looks at the size before grpc does, which would not
// name the option.
func (c *calls) send(stream grpc.ServerStream, body *rpc.Body) error {
	size, err := body.Encode()
	if err != nil {
		return errors.New(rpc.ServerID, "encode the response: "+err.Error(), http.StatusInternalServerError)
	}
	if c.maxSend > 0 && size > c.maxSend {
		body.Discard()
		return status.Errorf(codes.ResourceExhausted,
			"the response has %d bytes, and the server's limit is %d: raise it with the option MaxMsgSize of server/grpc", size, c.maxSend)
	}
	return stream.SendMsg(body)
}

// wrap puts the wrappers around h, the first outermost.
func (c *calls) wrap(h server.HandlerFunc) server.HandlerFunc {
	for i := len(c.wrappers) - 1; i >= 0; i-- {
		h = c.wrappers[i](h)
	}
	return h
}

// statusOf returns what to send for err, also if a method of err panics: one of a
// nil pointer for example, which is an error and yet none.
func statusOf(err error) (out error) {
	defer func() { out = rpc.ToStatus(out) }()
	defer recoverTo(&out)
	return rpc.ToStatus(err)
}

// recoverTo turns a panic into the error that v2 sends for it. It is deferred.
func recoverTo(err *error) {
	if r := recover(); r != nil {
		logPanic(r)
		*err = errors.InternalServerError(rpc.ServerID, "panic recovered: %v", r)
	}
}
