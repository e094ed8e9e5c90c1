package client

import (
	"context"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/attempt"
)

// RetryFunc decides whether a call that failed with err is tried again. It is
// asked after each failed attempt, the first being retryCount 0, also after the
// last one that CallOptions.Retries allows, but not once the deadline has passed.
// False, or an error, ends the call: with err, or with the error returned here.
//
// A function that answers true for a request that may have reached a server
// can make it run twice; it is obeyed.
type RetryFunc func(ctx context.Context, req Request, retryCount int, err error) (bool, error)

// RetryAlways answers true whatever the error.
func RetryAlways(context.Context, Request, int, error) (bool, error) {
	return true, nil
}

// RetryOnError answers true for errors of code 408 and 500. These include calls
// that a server has carried out, so it suits only methods that may run twice.
func RetryOnError(_ context.Context, _ Request, _ int, err error) (bool, error) {
	e := errors.FromError(err)
	return e != nil && (e.Code == 408 || e.Code == 500), nil
}

// retryUnwritten answers true when the client states, in the context, that
// nothing of the request can have reached a server.
func retryUnwritten(ctx context.Context, _ Request, _ int, err error) (bool, error) {
	return err != nil && attempt.Unwritten(ctx), nil
}
