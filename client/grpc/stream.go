package grpc

import (
	"context"
	"io"
	"runtime"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/internal/rpc"
)

// stream is what the program holds of a conversation. Nothing in the client refers to
// it, so that the garbage collector finds one that was dropped.
type stream struct{ *conversation }

var (
	_ client.Stream     = (*stream)(nil)
	_ client.HalfCloser = (*stream)(nil)
)

// newStream returns a stream that is not open yet. leave is called once, when it has
// been open and has ended.
func newStream(ctx context.Context, req client.Request, timeout time.Duration, leave func()) *stream {
	c := &conversation{request: req, leave: leave}
	c.life, c.cancel, c.release = lifetime(ctx, timeout)
	c.ctx = streamContext{c.life, ctx}
	return &stream{c}
}

// begin settles that the stream is open.
func (s *stream) begin() {
	runtime.AddCleanup(s, (*conversation).end, s.conversation)
	s.opened()
}

func (s *stream) Context() context.Context { return s.ctx }

// Request returns the request, with a Codec that sends.
func (s *stream) Request() client.Request { return streamRequest{s.request, s} }

// Response returns the undecoded side of what is received.
func (s *stream) Response() client.Response { return streamResponse{s} }

// Send encodes and sends a message. It waits while the server is slow to read. When the
// server has ended the stream it returns the reason, or io.EOF if there is none, or if
// another goroutine is in Recv, which gets it.
func (s *stream) Send(v any) error {
	defer runtime.KeepAlive(s)
	return s.send(v)
}

// Recv waits for a message and decodes it. At the end it returns io.EOF.
func (s *stream) Recv(v any) error {
	defer runtime.KeepAlive(s)
	return s.receive(v)
}

// CloseSend tells the server that no message follows.
func (s *stream) CloseSend() error {
	defer runtime.KeepAlive(s)
	if s.raw == nil {
		return errNotOpen
	}
	return s.raw.CloseSend()
}

// header waits for the headers of the answer.
func (s *stream) header() (metadata.MD, error) {
	defer runtime.KeepAlive(s)
	return s.raw.Header()
}

// Close ends the stream; the server learns that nobody waits for it any more. What
// was not received is lost.
func (s *stream) Close() error {
	s.end()
	return nil
}

var errNotOpen = failure("the stream is not open: call the next wrapper first", nil)

// conversation is a stream as the client has it.
type conversation struct {
	request client.Request
	ctx     streamContext // what the program gets
	life    context.Context
	cancel  context.CancelFunc
	release func() // gives up the context
	leave   func() // counts the call out

	// What follows is set when the stream is opened. raw is nil before.
	raw    grpc.ClientStream
	opened func() // counts half of the call out
	done   func() // gives up the connection
	codec  *rpc.Codec
	asGRPC bool // errors are those of gRPC
	single bool // the server sends one message

	ending sync.Once

	receiving sync.Mutex // held while a message is received; guards what follows
	early     [][]byte   // messages that were received before somebody asked for them
	last      error      // that of every further Recv, nil while the stream goes on

	first firstError
}

// end gives up what the stream holds, and ends it if it goes on.
func (c *conversation) end() {
	c.ending.Do(func() {
		c.release()
		if c.done != nil {
			c.done()
		}
	})
}

// Error returns the first error of the stream other than io.EOF.
func (c *conversation) Error() error { return c.first.get() }

func (c *conversation) send(v any) error {
	if c.raw == nil {
		return errNotOpen
	}
	switch err := c.raw.SendMsg(v); err {
	case nil:
		return nil
	case io.EOF: // the server has ended the stream, Recv knows why
		return c.reason()
	default:
		err = c.errorOf(err)
		c.first.note(err)
		c.end()
		return err
	}
}

// reason returns why the server ended the stream. What it sent before is kept: it is
// no more than gRPC's window allowed.
func (c *conversation) reason() error {
	if c.asGRPC || !c.receiving.TryLock() {
		return io.EOF
	}
	defer c.receiving.Unlock()
	for c.last == nil {
		var f bytes.Frame
		if err := c.raw.RecvMsg(&f); err != nil {
			c.finish(err)
		} else {
			c.early = append(c.early, f.Data)
		}
	}
	return c.last
}

func (c *conversation) receive(v any) error {
	if c.raw == nil {
		return errNotOpen
	}
	c.receiving.Lock()
	defer c.receiving.Unlock()
	if len(c.early) > 0 {
		data := mem.BufferSlice{mem.SliceBuffer(c.early[0])}
		c.early = c.early[1:]
		if err := c.codec.Unmarshal(data, v); err != nil { // which ends the stream, as it does in grpc
			c.early = nil
			return c.finish(status.Error(codes.Internal, undecoded+err.Error()))
		}
		return nil
	}
	if c.last != nil {
		return c.last
	}
	if err := c.raw.RecvMsg(v); err != nil {
		return c.finish(err)
	}
	if c.single { // grpc has seen the end as well
		c.last = io.EOF
		c.end()
	}
	return nil
}

// finish takes note of how the stream ended. The caller holds receiving.
func (c *conversation) finish(err error) error {
	if err == io.EOF {
		c.last = err
	} else {
		c.last = c.errorOf(err)
		c.first.note(c.last)
	}
	c.end()
	return c.last
}

func (c *conversation) errorOf(err error) error {
	if c.asGRPC {
		return err
	}
	return callError(c.ctx, c.request, err)
}

// firstError keeps the first error of a stream.
type firstError struct {
	mu  sync.Mutex // guards err
	err error
}

func (f *firstError) note(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *firstError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
