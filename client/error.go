package client

import "errors"

// ErrClosed is what errors.Is finds in the error of a call or an Init of a client
// that was closed.
var ErrClosed = errors.New("the client is closed")
