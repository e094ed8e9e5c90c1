package endpoint

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ErrClosed is the error of calls over a transport that was closed.
var ErrClosed = errors.New("the connections of this client are closed")

// ConnectError is the error of a call to a node to which no connection could be
// made. Nothing of the call was written. Its gRPC status is Unavailable.
type ConnectError struct {
	Address string
	Err     error
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("connect to %q: %v", excerpt(e.Address), e.Err)
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

// StreamsTakenError says that a call ended before it was begun: the server allows
// so many calls on a connection, and all of them were taken. Nothing of the call
// was written.
type StreamsTakenError struct {
	Address            string
	Connections, Calls int   // how many connections there are, and calls on each
	Err                error // what ended the call
}

func (e *StreamsTakenError) Error() string {
	return fmt.Sprintf("%s: %q takes %d calls on a connection, and %d connections were full (the client option PoolSize allows more)",
		status.Convert(e.Err).Message(), e.Address, e.Calls, e.Connections)
}

// Unwrap returns what ended the call.
func (e *StreamsTakenError) Unwrap() error { return e.Err }

// GRPCStatus returns the status of what ended the call, with the text of e.
func (e *StreamsTakenError) GRPCStatus() *status.Status {
	return status.New(status.Code(e.Err), e.Error())
}
