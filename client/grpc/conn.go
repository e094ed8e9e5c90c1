package grpc

import (
	"context"
	stderrors "errors"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
)

// Conn returns a connection to a service by its name, for clients that
// protoc-gen-go-grpc generated. Each call is one of c, with its wrappers, and goes
// to a node that c chooses, streams as well; errors are statuses of gRPC.
func Conn(c client.Client, service string) grpc.ClientConnInterface {
	return namedConn{c, service}
}

type namedConn struct {
	client  client.Client
	service string
}

var rawErrors = setCall(func(s *callSettings) { s.raw = true })

func (b namedConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	req := b.client.NewRequest(b.service, method, args, client.WithContentType(contentType))
	return toStatus(b.client.Call(ctx, req, reply, rawErrors, CallOptions(opts...)))
}

func (b namedConn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	named := &namedStream{}
	kind := setCall(func(s *callSettings) {
		s.desc, s.opened = desc, func(st *stream) { named.own = st }
	})
	req := b.client.NewRequest(b.service, method, nil, client.WithContentType(contentType), client.StreamingRequest())
	st, err := b.client.Stream(ctx, req, rawErrors, kind, CallOptions(opts...))
	if err != nil {
		return nil, toStatus(err)
	}
	if named.own == nil {
		_ = st.Close() // of no use to anybody
		return nil, status.Errorf(codes.Unimplemented, "open a stream to %s: the client, a %T, is not one of client/grpc", b.service, b.client)
	}
	named.through = st
	return named, nil
}

// namedStream is a grpc.ClientStream. Messages go through the wrappers of the client,
// the rest goes to the stream itself.
type namedStream struct {
	through client.Stream
	own     *stream
}

func (s *namedStream) Header() (metadata.MD, error) { return s.own.header() }
func (s *namedStream) Trailer() metadata.MD         { return s.own.raw.Trailer() }
func (s *namedStream) Context() context.Context     { return s.through.Context() }
func (s *namedStream) SendMsg(m any) error          { return toStatus(s.through.Send(m)) }
func (s *namedStream) RecvMsg(m any) error          { return toStatus(s.through.Recv(m)) }

func (s *namedStream) CloseSend() error {
	if h, ok := s.through.(client.HalfCloser); ok {
		return toStatus(h.CloseSend())
	}
	return toStatus(s.own.CloseSend())
}

// toStatus makes a status of an error that the client made itself. Others are
// statuses already.
func toStatus(err error) error {
	var e *errors.Error
	switch {
	case err == nil || !stderrors.As(err, &e):
		return err
	case stderrors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, e.GetDetail())
	case e.GetCode() == http.StatusRequestTimeout:
		return status.Error(codes.DeadlineExceeded, e.GetDetail())
	default:
		return status.Error(codes.Unavailable, e.GetDetail())
	}
}
