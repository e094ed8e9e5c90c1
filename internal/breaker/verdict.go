package breaker

import (
	"context"
	stderrors "errors"
	"net/http"

	"github.com/rollcall-go/micro/errors"
)

// Failed reports whether err says that whoever was called cannot serve: the call did
// not get there, nobody answered in time, or the answer was an error of code 500 or
// above. An error without a code is one of a client or wrapper that makes no others.
// What a service answers with another code was served.
func Failed(err error) bool {
	if err == nil || Cancelled(err) {
		return false
	}
	if stderrors.Is(err, context.DeadlineExceeded) {
		return true
	}
	code := errors.FromError(err).GetCode()
	return code == 0 || code >= http.StatusInternalServerError
}

// Cancelled reports whether the caller gave the call up, which says nothing about
// whoever was called.
func Cancelled(err error) bool { return stderrors.Is(err, context.Canceled) }

func served(err error) bool { return !Failed(err) }
