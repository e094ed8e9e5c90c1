// Package gobreaker breaks the circuit to services that fail: after some failures in a
// row calls are refused at once for a while, then one is let through, and if it
// succeeds the circuit is closed again. The circuits are those of
// github.com/sony/gobreaker/v2, whose Settings say when they open and for how long.
//
// What counts as a failure: a call that did not get there, one that nobody answered in
// time, and an error of code 500 or above. An error of a lower code was an answer, and
// counts as a success; a call that its caller cancelled counts as neither, and so does
// one whose context was over before. Settings.IsSuccessful and Settings.IsExcluded,
// where given, decide in place of that.
//
// Streams are counted when they are opened and once more if they fail later. What is
// published is passed on.
package gobreaker

import (
	"context"

	"github.com/sony/gobreaker/v2"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/breaker"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/wrapping"
	"github.com/rollcall-go/micro/registry"
)

// BreakerMethod says what has a circuit of its own.
type BreakerMethod int

const (
	// BreakService: each service.
	BreakService BreakerMethod = iota
	// BreakServiceEndpoint: each endpoint of a service.
	BreakServiceEndpoint
)

// NewClientWrapper returns a wrapper with a circuit for each service that opens after
// more than five failures in a row, for a minute. A call that it refuses returns an
// *errors.Error of code 502 that names the circuit and says for how long it stays open;
// errors.Is finds gobreaker.ErrOpenState in it, or gobreaker.ErrTooManyRequests while
// another call tries the service.
func NewClientWrapper() client.Wrapper {
	return NewCustomClientWrapper(gobreaker.Settings{}, BreakService)
}

// NewCustomClientWrapper is NewClientWrapper with settings for all circuits of the
// wrapper, and with what has one of its own. If Settings.Name is empty, each is called by
// what it is for. OnStateChange must return quickly and must not make calls through the
// wrapper: calls of the same circuit wait for it.
func NewCustomClientWrapper(bs gobreaker.Settings, bm BreakerMethod) client.Wrapper {
	return func(c client.Client) client.Client {
		return &clientWrapper{Client: wrapping.Client{Client: c}, method: bm, circuits: groupOf(bs)}
	}
}

// NewCallWrapper returns a wrapper, for client.WrapCall and micro.WrapCall, with a circuit
// for each node of a service. An attempt that it refuses was not made, and the client makes
// it on another node, as often as client.Retries allows. Circuits of nodes that were not
// called for ten minutes are forgotten.
func NewCallWrapper(bs gobreaker.Settings) client.CallWrapper {
	circuits := groupOf(bs)
	return func(next client.CallFunc) client.CallFunc {
		return func(ctx context.Context, node *registry.Node, req client.Request, rsp any, opts client.CallOptions) error {
			if ctx.Err() != nil || node == nil {
				return next(ctx, node, req, rsp, opts)
			}
			b := circuits.Of(breaker.Key{Service: req.Service(), Address: node.Address})
			rejected, err := b.Do(func() error { return next(ctx, node, req, rsp, opts) })
			if rejected {
				// The client takes an error of this type elsewhere.
				return b.Error(req.Service(), "", err, &endpoint.ConnectError{Address: node.Address, Err: err})
			}
			return err
		}
	}
}

func groupOf(bs gobreaker.Settings) *breaker.Group {
	return breaker.NewGroup(func(breaker.Key) gobreaker.Settings { return bs })
}

type clientWrapper struct {
	wrapping.Client
	method   BreakerMethod
	circuits *breaker.Group
}

func (c *clientWrapper) circuit(req client.Request) *breaker.Breaker {
	k := breaker.Key{Service: req.Service()}
	if c.method == BreakServiceEndpoint {
		k.Endpoint = req.Endpoint()
	}
	return c.circuits.Of(k)
}

func (c *clientWrapper) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	if ctx.Err() != nil || req == nil {
		return c.Client.Call(ctx, req, rsp, opts...)
	}
	b := c.circuit(req)
	rejected, err := b.Do(func() error { return c.Client.Call(ctx, req, rsp, opts...) })
	if rejected {
		return b.Error(req.Service(), "", err, nil)
	}
	return err
}

func (c *clientWrapper) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	if ctx.Err() != nil || req == nil {
		return c.Client.Stream(ctx, req, opts...)
	}
	b := c.circuit(req)
	var s client.Stream
	rejected, err := b.Do(func() (err error) {
		s, err = c.Client.Stream(ctx, req, opts...)
		return err
	})
	switch {
	case rejected:
		return nil, b.Error(req.Service(), "", err, nil)
	case err != nil:
		return s, err
	}
	return b.Watch(s), nil
}
