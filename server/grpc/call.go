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
	name        string
	router      server.Router
	wrappers    []server.HandlerWrapper
	subWrappers []server.SubscriberWrapper
	codecs      rpc.Codecs
	waiting     *sync.WaitGroup // given by server.Wait; may be nil
	maxSend     int             // zero if only grpc knows
	gzip        bool
	recovery    *recovery
	streams     *streams
	limit       *limiter // nil if there is none
	observer    observer
}

func newCalls(o server.Options, r *recovery, st *streams, l *limiter) *calls {
	set := settingsOf(o.Context)
	c := &calls{
		name:        o.Name,
		router:      o.Router,
		wrappers:    o.HdlrWrappers,
		subWrappers: o.SubWrappers,
		codecs:      rpc.NewServerCodecs(set.codecs),
		maxSend:     set.limit(),
		gzip:        set.gzip,
		recovery:    r,
		streams:     st,
		limit:       l,
		observer:    newObserver(o),
	}
	if set.maxMsgSize <= 0 && len(set.grpc) > 0 {
		c.maxSend = 0 // they may say otherwise
	}
	if o.Context != nil {
		c.waiting, _ = o.Context.Value("wait").(*sync.WaitGroup)
	}
	return c
}

// enter counts a call in the group of server.Wait. What it returns is to be called
// when the call is over.
func (c *calls) enter() (leave func()) {
	if c.waiting == nil {
		return func() {}
	}
	c.waiting.Add(1)
	return c.waiting.Done
}

// contextOf returns ctx with what the headers say: the metadata and v2's deadline.
func contextOf(ctx context.Context, h rpc.Headers) (context.Context, context.CancelFunc) {
	ctx = h.NewContext(ctx)
	if !h.HasTimeout {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, h.Timeout)
}

// tooLate is the error of a call whose time was over before its method was called, which
// it is not.
func tooLate(ctx context.Context) error {
	return errors.Wrap(rpc.ServerID, ctx.Err().Error()+": the request was not begun", http.StatusRequestTimeout, ctx.Err())
}

// serve serves every call that is not for a service registered with grpc itself.
// What it returns is a gRPC status.
func (s *grpcServer) serve(_ any, stream grpc.ServerStream) error {
	c := s.calls.Load()
	err := s.call(c, stream)
	c.observer.count(err)
	return c.recovery.statusOf(err)
}

func (s *grpcServer) call(c *calls, stream grpc.ServerStream) (err error) {
	// Outside of the wrappers, which may panic as well as what they wrap. Whoever ends
	// the goroutine is answered for further out, by interceptors.stream.
	defer c.recovery.recoverTo(&err)
	defer c.enter()()
	path, _ := grpc.MethodFromServerStream(stream)
	handler, method, err := rpc.SplitPath(path)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	var in entered
	if c.limit != nil {
		if in, err = c.limit.enter(false); err != nil {
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
	if c.router != nil {
		endpoint := handler + "." + method
		ctx, sp := c.observer.begin(ctx, h, c.name, endpoint)
		defer func() { sp.End(err) }()
		return c.route(ctx, stream, path, endpoint, h.ContentType)
	}
	m, err := s.table.Find(handler, method)
	if err != nil {
		return err
	}
	in.stream = m.Stream
	ctx, sp := c.observer.begin(ctx, h, c.name, m.Endpoint)
	defer func() { sp.End(err) }()
	if m.Stream {
		return c.converse(ctx, stream, m, h.ContentType)
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
	body := &rpc.Body{Codec: codec, Value: call.Target}
	switch err := stream.RecvMsg(body); {
	case stderrors.Is(err, io.EOF):
		return status.Errorf(codes.Internal, "call %s: the client sent no request", m.Endpoint)
	case err != nil:
		// grpc has answered with it already.
		return err
	}
	if ctx.Err() != nil {
		return tooLate(ctx)
	}
	req := &request{service: c.name, endpoint: m.Endpoint, contentType: contentType, body: call.Request(), message: call.Target, codec: codec}
	serve := func(ctx context.Context, _ server.Request, rsp any) (err error) {
		defer c.recovery.recoverTo(&err)
		return call.Invoke(ctx, rsp)
	}
	if err := c.wrap(serve)(ctx, req, call.Response); err != nil {
		return err
	}
	body.Value = call.Response
	size, err := c.encode(body)
	if err != nil {
		return err
	}
	c.compress(stream.Context(), size)
	return stream.SendMsg(body)
}

// send sends one message.
func (c *calls) send(stream grpc.ServerStream, body *rpc.Body) error {
	if _, err := c.encode(body); err != nil {
		return err
	}
	return stream.SendMsg(body)
}

// encode encodes a message that is sent then, and returns its size. It looks at the size
// before grpc does, which would not name the option.
func (c *calls) encode(body *rpc.Body) (size int, err error) {
	size, err = body.Encode()
	if err != nil {
		return 0, errors.New(rpc.ServerID, "encode the response: "+err.Error(), http.StatusInternalServerError)
	}
	if c.maxSend > 0 && size > c.maxSend {
		body.Discard()
		return 0, status.Errorf(codes.ResourceExhausted,
			"the response has %d bytes, and the server's limit is %d: raise it with the option MaxMsgSize of server/grpc", size, c.maxSend)
	}
	return size, nil
}

// wrap puts the wrappers around h, the first outermost.
func (c *calls) wrap(h server.HandlerFunc) server.HandlerFunc {
	for i := len(c.wrappers) - 1; i >= 0; i-- {
		h = c.wrappers[i](h)
	}
	return h
}
