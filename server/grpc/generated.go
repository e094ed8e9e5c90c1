package grpc

import (
	"context"

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
	first   firstError
}

var _ server.Stream = (*generatedStream)(nil)

func (s *generatedStream) Request() server.Request { return s.request }
func (s *generatedStream) Send(v any) error        { return s.first.note(s.SendMsg(v)) }
func (s *generatedStream) Recv(v any) error        { return s.first.note(s.RecvMsg(v)) }

// Error returns the first error of the stream.
func (s *generatedStream) Error() error { return s.first.get() }

// Close does nothing: the stream ends when its handler returns.
func (s *generatedStream) Close() error { return nil }

// wrappedStream is the grpc.ServerStream that the service gets. Its messages go
// through the server.Stream that the wrappers made of theirs.
type wrappedStream struct {
	contextStream
	through server.Stream
}

func (s *wrappedStream) SendMsg(m any) error { return s.through.Send(m) }
func (s *wrappedStream) RecvMsg(m any) error { return s.through.Recv(m) }
