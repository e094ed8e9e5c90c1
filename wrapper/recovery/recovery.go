// Package recovery turns panics into errors of code 500, and logs each of them once, with
// where it happened. A server answers for handlers, subscribers and wrappers that panic by
// itself; these wrappers are for what is in between: wrappers outside of one that panics see
// an error, as they would of a handler.
package recovery

import (
	"context"
	"fmt"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/excerpt"
	"github.com/rollcall-go/micro/internal/panics"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// quoted is how many bytes of what somebody panicked with the caller is told.
const quoted = 200

// recovered is deferred. It turns a panic into an *errors.Error of code 500.
func recovered(log *panics.Log, id, name string, err *error) {
	if v := recover(); v != nil {
		text, at := log.Describe(v)
		logger.Errorf("panic recovered: %s: in %q%s", text, name, at)
		*err = errors.InternalServerError(id, "panic recovered: %s", excerpt.Of(fmt.Sprint(v), quoted))
	}
}

// NewHandlerWrapper answers for wrappers inside of it, and for the handler, that panic.
func NewHandlerWrapper() server.HandlerWrapper {
	log := new(panics.Log)
	return func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) (err error) {
			defer recovered(log, req.Service(), req.Endpoint(), &err)
			return next(ctx, req, rsp)
		}
	}
}

// NewSubscriberWrapper returns the error for wrappers inside of it, and for the subscriber,
// that panic.
func NewSubscriberWrapper() server.SubscriberWrapper {
	log := new(panics.Log)
	return func(next server.SubscriberFunc) server.SubscriberFunc {
		return func(ctx context.Context, msg server.Message) (err error) {
			defer recovered(log, msg.Topic(), msg.Topic(), &err)
			return next(ctx, msg)
		}
	}
}

// NewCallWrapper returns the error for call wrappers inside of it, and for what encodes and
// decodes, that panic. The attempt may have reached a server.
func NewCallWrapper() client.CallWrapper {
	log := new(panics.Log)
	return func(next client.CallFunc) client.CallFunc {
		return func(ctx context.Context, node *registry.Node, req client.Request, rsp any, opts client.CallOptions) (err error) {
			defer recovered(log, req.Service(), req.Endpoint(), &err)
			return next(ctx, node, req, rsp, opts)
		}
	}
}
