// Package validator answers requests that are not valid before a handler sees them. What is
// valid, messages say themselves by a method Validate() error, as protoc-gen-validate and
// others write it; one without it is valid.
package validator

import (
	"context"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/wrapping"
	"github.com/rollcall-go/micro/server"
)

// Validator is a message that says what is wrong with it.
type Validator interface {
	Validate() error
}

// check returns an *errors.Error of code 400 with what is wrong with v.
func check(id string, v any) error {
	if v, ok := v.(Validator); ok {
		if err := v.Validate(); err != nil {
			return errors.Wrap(id, err.Error(), 400, err)
		}
	}
	return nil
}

// NewHandlerWrapper answers requests that are not valid with an error of code 400 whose
// detail is the text of their own. A message that a client sends on a stream is checked when
// the handler receives it: Recv returns the error.
func NewHandlerWrapper() server.HandlerWrapper {
	return func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			if s, ok := rsp.(server.Stream); ok && req.Stream() {
				return next(ctx, req, &stream{Stream: s, service: req.Service()})
			}
			if err := check(req.Service(), req.Body()); err != nil {
				return err
			}
			return next(ctx, req, rsp)
		}
	}
}

type stream struct {
	server.Stream
	service string
}

func (s *stream) Recv(v any) error {
	if err := s.Stream.Recv(v); err != nil {
		return err
	}
	return check(s.service, v)
}

// NewSubscriberWrapper keeps messages that are not valid from subscribers: the error of
// NewHandlerWrapper, with the topic as its id, is returned in their place. It is no use to
// have such a message delivered again; a broker that does so by itself should be told not to.
func NewSubscriberWrapper() server.SubscriberWrapper {
	return func(next server.SubscriberFunc) server.SubscriberFunc {
		return func(ctx context.Context, msg server.Message) error {
			if err := check(msg.Topic(), msg.Payload()); err != nil {
				return err
			}
			return next(ctx, msg)
		}
	}
}

// NewClientWrapper keeps requests that are not valid from being sent, with the error that
// the service would answer.
func NewClientWrapper() client.Wrapper {
	return func(c client.Client) client.Client { return &clientWrapper{wrapping.Client{Client: c}} }
}

type clientWrapper struct{ wrapping.Client }

func (c *clientWrapper) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	if req != nil {
		if err := check(req.Service(), req.Body()); err != nil {
			return err
		}
	}
	return c.Client.Call(ctx, req, rsp, opts...)
}
