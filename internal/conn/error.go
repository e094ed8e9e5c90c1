package conn

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ErrClosed is the error of calls over a set that was closed.
var ErrClosed = errors.New("the connections of this client are closed")

// ConnectError is the error of a call to a node to which no connection could be
// made. Nothing of the call was written. Its gRPC status is Unavailable.
type ConnectError struct {
	Address string
	Err     error
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("connect to %q: %v", e.Address, e.Err)
}

// Unwrap returns the cause.
func (e *ConnectError) Unwrap() error { return e.Err }

// GRPCStatus makes the error a status of gRPC.
func (e *ConnectError) GRPCStatus() *status.Status {
	return status.New(codes.Unavailable, e.Error())
}

// Unwritten reports whether it is certain that nothing of the call that returned
// err was written to a server, so that it may be made again elsewhere. It goes by
// the type of the error, which does not travel over the wire: a server that
// passes on the failure of a call of its own is never taken for one. Streams
// that a server turned away unprocessed are made again by grpc itself.
func Unwritten(err error) bool {
	var e *ConnectError
	return errors.As(err, &e)
}

type waitKey struct{}

// waiting returns ctx with the note that the call waits until the node can be
// reached, if the options demand so.
func waiting(ctx context.Context, opts []grpc.CallOption) context.Context {
	wait := false
	for _, o := range opts {
		if f, ok := o.(grpc.FailFastCallOption); ok {
			wait = !f.FailFast
		}
	}
	if wait {
		return context.WithValue(ctx, waitKey{}, true)
	}
	return ctx
}

func waits(ctx context.Context) bool { return ctx.Value(waitKey{}) != nil }
