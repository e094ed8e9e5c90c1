package grpc

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/transport"
)

var errNil = errors.New("the message is nil")

// messages is what streams of both ends have.
type messages interface {
	SendMsg(m any) error
	RecvMsg(m any) error
}

// end is one end of a connection. A message that is late ends it: a stream of gRPC cannot wait
// for the next one without losing that.
type end struct {
	stream        messages
	ctx           context.Context // ends a server's end; nil for a client's, whose stream it ends
	timeout       time.Duration
	cancel        func()
	local, remote string
}

func (e *end) Local() string  { return e.local }
func (e *end) Remote() string { return e.remote }

// bounded calls f, and cancels the connection if f takes too long.
func (e *end) bounded(f func() error) error {
	if e.timeout <= 0 {
		return ended(f())
	}
	late := time.AfterFunc(e.timeout, e.cancel)
	err := f()
	if !late.Stop() {
		return os.ErrDeadlineExceeded
	}
	return ended(err)
}

// ended returns io.EOF where either end closed the connection.
func ended(err error) error {
	switch status.Code(err) {
	case codes.Canceled, codes.Unavailable:
		return io.EOF
	}
	return err
}

func (e *end) Send(m *transport.Message) error {
	if m == nil {
		return errNil
	}
	return e.bounded(func() error { return e.stream.SendMsg(m) })
}

func (e *end) Recv(m *transport.Message) error {
	if m == nil {
		return errNil
	}
	return e.bounded(func() error { return e.stream.RecvMsg(m) })
}

// socket is the end that was dialed. Its stream ends with the function that it was given to, so
// that what waits in Recv is let go by its context.
type socket struct{ end }

func (s *socket) Recv(m *transport.Message) error {
	if m == nil {
		return errNil
	}
	got := new(transport.Message)
	done := make(chan error, 1)
	go func() { done <- s.stream.RecvMsg(got) }() // ends with the stream at the latest
	late := (<-chan time.Time)(nil)
	if s.timeout > 0 {
		t := time.NewTimer(s.timeout)
		defer t.Stop()
		late = t.C
	}
	select {
	case err := <-done:
		if err == nil {
			*m = *got
		}
		return ended(err)
	case <-late:
		s.cancel()
		return os.ErrDeadlineExceeded
	case <-s.ctx.Done():
		return io.EOF
	}
}

func (s *socket) Close() error {
	s.cancel()
	return nil
}

// remoteOf returns the address of who called.
func remoteOf(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok && p.Addr != nil && p.Addr != net.Addr(nil) {
		return p.Addr.String()
	}
	return ""
}
