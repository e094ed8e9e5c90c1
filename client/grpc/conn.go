package grpc

import (
	"context"
	stderrors "errors"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
)

// Conn returns a connection to a service by its name, for clients that
// protoc-gen-go-grpc generated. Each call is one of c, with its wrappers, and goes
// to a node that c chooses; errors are statuses of gRPC. Streams are answered
// with Unimplemented: they come in a later release.
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

func (b namedConn) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "streams are not in this release, they come in a later one")
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
