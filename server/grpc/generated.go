package grpc

import (
	"context"
	stderrors "errors"
	"io"
	"sync"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/server"
)

// contextStream is a grpc.ServerStream with another context.
type contextStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *contextStream) Context() context.Context { return s.ctx }

// generatedStream is the server.Stream that wrappers get for a stream of a service
// of RegisterService.
type generatedStream struct {
	contextStream
	request *request

	mu  sync.Mutex // one goroutine may send while another receives
	err error
}

var _ server.Stream = (*generatedStream)(nil)

func (s *generatedStream) Request() server.Request { return s.request }
func (s *generatedStream) Send(v any) error        { return s.note(s.SendMsg(v)) }
func (s *generatedStream) Recv(v any) error        { return s.note(s.RecvMsg(v)) }

// Error returns the first error of the stream.
func (s *generatedStream) Error() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close does nothing: the stream ends when its handler returns.
func (s *generatedStream) Close() error { return nil }

func (s *generatedStream) note(err error) error {
	if err == nil || stderrors.Is(err, io.EOF) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	return err
}

// wrappedStream is the grpc.ServerStream that the service gets. Its messages go
// through the server.Stream that the wrappers made of theirs.
type wrappedStream struct {
	contextStream
	through server.Stream
}

func (s *wrappedStream) SendMsg(m any) error { return s.through.Send(m) }
func (s *wrappedStream) RecvMsg(m any) error { return s.through.Recv(m) }
