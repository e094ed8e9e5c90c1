// Package hystrix bounds the calls of a client after the manner of Hystrix: each command,
// which is an endpoint of a service, has a time that a call may take, a number of calls
// that may be under way, and a circuit that opens when too many of the last ten seconds'
// calls failed. It has the settings of github.com/afex/hystrix-go under the same names and
// needs nothing of that module: a program that configures its commands imports this
// package in its place. What is set in hystrix-go is not read here; a program that has both is told so.
//
// What counts as a failure is said in wrapper/breaker/gobreaker.
package hystrix

import (
	"context"
	stderrors "errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/breaker"
	"github.com/rollcall-go/micro/internal/wrapping"
)

// CircuitError is the kind of the errors below.
type CircuitError struct{ Message string }

// Error returns the message after the word hystrix.
func (e CircuitError) Error() string { return "hystrix: " + e.Message }

// Why a call was refused or given up. What a call returns is an *errors.Error in which
// errors.Is finds them, and which names the command.
var (
	// ErrMaxConcurrency: as many calls as may be were under way. The code is 429.
	ErrMaxConcurrency = CircuitError{Message: "max concurrency"}
	// ErrCircuitOpen: too many calls failed. The code is 502.
	ErrCircuitOpen = CircuitError{Message: "circuit open"}
	// ErrTimeout: the call took longer than the command may. The code is 408.
	ErrTimeout = CircuitError{Message: "timeout"}
)

// NewClientWrapper returns a wrapper that bounds the calls of a client, each client by
// itself. A call runs in the goroutine of its caller and has ended when it returns. A
// stream counts while it is opened; it may last as long as it likes.
func NewClientWrapper() client.Wrapper {
	tellOfOther(modules())
	return func(c client.Client) client.Client {
		return &clientWrapper{Client: wrapping.Client{Client: c}, circuits: breaker.NewGroup(circuitOf), bounds: map[breaker.Key]*bound{}}
	}
}

type clientWrapper struct {
	wrapping.Client
	circuits *breaker.Group

	mu     sync.RWMutex // guards bounds
	bounds map[breaker.Key]*bound
}

// bound is what a command has beside its circuit.
type bound struct {
	timeout time.Duration
	places  chan struct{} // one for each call that is under way
}

func (c *clientWrapper) bound(k breaker.Key) *bound {
	c.mu.RLock()
	b := c.bounds[k]
	c.mu.RUnlock()
	if b != nil {
		return b
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.bounds[k]; b != nil {
		return b
	}
	config := configOf(k.String())
	b = &bound{timeout: milliseconds(config.Timeout), places: make(chan struct{}, config.MaxConcurrentRequests)}
	c.bounds[k] = b
	return b
}

func (c *clientWrapper) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	if ctx.Err() != nil || req == nil {
		return c.Client.Call(ctx, req, rsp, opts...)
	}
	return c.do(req, func(b *bound) error {
		within, cancel := context.WithTimeout(ctx, b.timeout)
		defer cancel()
		err := c.Client.Call(within, req, rsp, opts...)
		if err != nil && within.Err() != nil && ctx.Err() == nil {
			detail := fmt.Sprintf("%v: %q gave no answer within %v", ErrTimeout, breaker.Key{Service: req.Service(), Endpoint: req.Endpoint()}, b.timeout)
			return errors.Wrap(req.Service(), detail, http.StatusRequestTimeout, stderrors.Join(ErrTimeout, within.Err(), err))
		}
		return err
	})
}

func (c *clientWrapper) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	if ctx.Err() != nil || req == nil {
		return c.Client.Stream(ctx, req, opts...)
	}
	var s client.Stream
	err := c.do(req, func(*bound) (err error) {
		s, err = c.Client.Stream(ctx, req, opts...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.circuits.Of(breaker.Key{Service: req.Service(), Endpoint: req.Endpoint()}).Watch(s), nil
}

// do calls f within the bounds of the command that req is for.
func (c *clientWrapper) do(req client.Request, f func(*bound) error) error {
	k := breaker.Key{Service: req.Service(), Endpoint: req.Endpoint()}
	b := c.bound(k)
	select {
	case b.places <- struct{}{}:
		defer func() { <-b.places }()
	default:
		detail := fmt.Sprintf("%v: %d calls of %q are under way", ErrMaxConcurrency, cap(b.places), k)
		return errors.Wrap(req.Service(), detail, http.StatusTooManyRequests, ErrMaxConcurrency)
	}
	circuit := c.circuits.Of(k)
	rejected, err := circuit.Do(func() error { return f(b) })
	if rejected {
		return circuit.Error(req.Service(), ErrCircuitOpen.Error(), err, ErrCircuitOpen)
	}
	return err
}
