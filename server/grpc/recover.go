package grpc

import (
	"context"
	stderrors "errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/panics"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/logger"
)

// recovery answers for code of the program that panics, or that ends its goroutine,
// while it serves a call. One server has one.
type recovery struct{ panics panics.Log }

// run returns the gRPC status for what serve returns or panics with. Where serve
// ends its goroutine, the caller is answered all the same.
func (r *recovery) run(ctx context.Context, serve func() error) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			err = r.statusOf(r.panicked(v))
			return
		}
		answerExit(ctx)
	}()
	err = r.statusOf(serve())
	returned = true
	return err
}

// recoverTo turns a panic into the error that v2 sends for it. It is deferred.
func (r *recovery) recoverTo(err *error) {
	if v := recover(); v != nil {
		*err = r.panicked(v)
	}
}

// recoverText is recoverTo where grpc puts words of its own around the error.
func (r *recovery) recoverText(err *error) {
	if v := recover(); v != nil {
		*err = stderrors.New(r.logPanic(v))
	}
}

// statusOf returns what to send for err, also if a method of err panics: one of a
// nil pointer for example, which is an error and yet none.
func (r *recovery) statusOf(err error) (out error) {
	if err == nil {
		return nil
	}
	defer func() { out = rpc.ToStatus(out) }()
	defer r.recoverTo(&out)
	return rpc.ToStatus(err)
}

// panicked logs a panic and returns the error to send for it.
func (r *recovery) panicked(v any) error {
	return errors.InternalServerError(rpc.ServerID, "%s", r.logPanic(v))
}

// logPanic logs a panic and returns what to tell the caller of it.
func (r *recovery) logPanic(v any) string {
	logged, at := r.panics.Describe(v)
	logger.Errorf("panic recovered: %s%s", logged, at)
	return "panic recovered: " + rpc.Excerpt(fmt.Sprint(v))
}

// answerExit answers the call that ctx belongs to from a goroutine that is ending:
// its code called runtime.Goexit, as the FailNow of a test does, and nothing that it
// returned could be sent. grpc has no method for this in its interfaces, but its
// streams do.
func answerExit(ctx context.Context) {
	const text = "the handler ended its goroutine (runtime.Goexit) instead of returning"
	logger.Errorf("Server [grpc] Answered for a handler that ended its goroutine (runtime.Goexit)")
	if s, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ WriteStatus(*status.Status) error }); ok {
		// A caller that has gone needs no answer.
		_ = s.WriteStatus(status.Convert(rpc.ToStatus(errors.InternalServerError(rpc.ServerID, text))))
	}
}
