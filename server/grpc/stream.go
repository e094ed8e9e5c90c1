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

// converse serves a stream through the wrappers, which get it in the place of the
// response.
func (c *calls) converse(ctx context.Context, raw grpc.ServerStream, m *rpc.Method, contentType string) error {
	codec, err := c.codecs.Find(contentType)
	if err != nil {
		return errors.New(rpc.ServerID, err.Error(), http.StatusInternalServerError)
	}
	open := c.streams.enter(ctx, raw)
	defer open.leave()
	st := &stream{
		calls: c, raw: raw, ctx: ctx, open: open,
		request: &request{service: c.name, endpoint: m.Endpoint, contentType: contentType, codec: codec, stream: true},
		in:      rpc.Body{Codec: codec}, out: rpc.Body{Codec: codec},
	}
	serve := func(inner context.Context, _ server.Request, rsp any) (err error) {
		defer c.recovery.recoverTo(&err)
		through, ok := rsp.(server.Stream)
		if !ok {
			return notAStream(m.Endpoint, rsp)
		}
		if inner != ctx { // a wrapper's
			through = streamWithContext{through, inner}
		}
		return m.Converse(inner, through)
	}
	return c.wrap(serve)(ctx, st.request, st)
}

// notAStream is the error of a call whose stream a wrapper replaced by rsp.
func notAStream(endpoint string, rsp any) error {
	return errors.InternalServerError(rpc.ServerID, "a wrapper replaced the stream of %s by a %T, which is no server.Stream", endpoint, rsp)
}

// streamWithContext is a server.Stream with the context that the wrappers made.
type streamWithContext struct {
	server.Stream
	ctx context.Context
}

func (s streamWithContext) Context() context.Context { return s.ctx }

// stream is the server.Stream of a handler's method. A message costs it no
// allocation: each direction has one body, as it is one goroutine's at a time.
type stream struct {
	calls   *calls
	raw     grpc.ServerStream
	ctx     context.Context
	open    *openStream
	request *request
	in, out rpc.Body
	first   firstError
}

var _ server.Stream = (*stream)(nil)

func (s *stream) Context() context.Context { return s.ctx }
func (s *stream) Request() server.Request  { return s.request }

// Recv returns io.EOF as it is, however it is wrapped elsewhere, and other errors as
// an *errors.Error.
func (s *stream) Recv(v any) error {
	s.in.Value = v
	err := s.raw.RecvMsg(&s.in)
	s.in.Value = nil
	return s.first.note(s.errorOf(err))
}

func (s *stream) Send(v any) error {
	s.out.Value = v
	err := s.calls.send(s.raw, &s.out)
	s.out.Value = nil
	return s.first.note(s.errorOf(err))
}

// Error returns the first error of the stream.
func (s *stream) Error() error { return s.first.get() }

// Close does nothing: the stream ends when its handler returns.
func (s *stream) Close() error { return nil }

// errorOf returns what the handler gets for the error of a message.
func (s *stream) errorOf(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if why := s.open.why.Load(); why != nil {
		return why
	}
	var e *errors.Error
	if stderrors.As(err, &e) {
		return err
	}
	code := status.Code(err)
	if over := s.ctx.Err(); over != nil && (code == codes.Canceled || code == codes.DeadlineExceeded || code == codes.Unavailable) {
		return errors.Wrap(rpc.ServerID, over.Error(), http.StatusRequestTimeout, over)
	}
	e = errors.FromError(rpc.FromStatus(err))
	return errors.Wrap(rpc.ServerID, e.Detail, e.Code, err)
}

// firstError keeps the first error of a stream other than io.EOF. One goroutine may
// send while another receives.
type firstError struct {
	mu  sync.Mutex // guards err
	err error
}

// note takes note of err and returns it.
func (f *firstError) note(err error) error {
	if err == nil || stderrors.Is(err, io.EOF) {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
	return err
}

func (f *firstError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
