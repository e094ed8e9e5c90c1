package client

import (
	"context"
	"net/http"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/attempt"
)

// RetryFunc decides whether a call that failed with err is tried again. It is
// asked after each failed attempt, the first being retryCount 0, also after the
// last one that CallOptions.Retries allows, but not once the deadline has passed.
// False, or an error, ends the call: with err, or with the error returned here.
//
// A function that answers true for a request that may have reached a server
// can make it run twice; it is obeyed, as far as the budget of Options.RetryBudget
// lasts and unless the server says that what it called was tried again already.
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

// RetryWhenSafe answers true when no handler can have run, as the client or the server
// states it, and for a call that is idempotent also after failures that may pass: errors
// of code 408, 500, 502, 503 and 504.
func RetryWhenSafe(ctx context.Context, _ Request, _ int, err error) (bool, error) {
	if err == nil {
		return false, nil
	}
	facts := attempt.Of(ctx)
	return facts.Unrun || facts.Idempotent && mayPass(err), nil
}

// mayPass reports whether a failure may be over when the call is made again.
func mayPass(err error) bool {
	switch errors.FromError(err).GetCode() {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
