// Package grpc is the client that calls services over gRPC.
//
// It follows the services that are called in the registry and chooses a node for
// each call from what it knows, without asking the registry again: calls go on
// while the registry is away. There is one connection to a node, shared by all
// calls, made when the node is first chosen and closed a few seconds after the
// node left.
package grpc

import (
	"fmt"
	"io"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/once"
)

// contentType is that of requests and messages that name none.
const contentType = "application/grpc+proto"

var _ = defaults.Client.Set(NewClient)

// grpcClient is a client. All that changes in it hangs on one pointer, which Init
// and Close replace.
type grpcClient struct {
	current atomic.Pointer[state]
	turn    atomic.Uint64 // which of several addresses a call begins with
	dropped once.Set      // metadata that cannot be sent

	services perServices
	retries  retryCounts
	told     sync.Map // calls in whose handlers a call failed for good, so that their clients shall not retry

	mu     sync.Mutex // serialises Init and Close
	done   chan struct{}
	closed bool
	wg     sync.WaitGroup // what waits for the calls over backends that were replaced
}

var (
	_ client.Client = (*grpcClient)(nil)
	_ io.Closer     = (*grpcClient)(nil)
)

// NewClient returns a client. Nothing is started before its first call. Close it,
// by way of io.Closer, to end what its calls have started; a client that the
// option client.Wrap surrounds can be closed only from within its wrappers.
func NewClient(opts ...client.Option) client.Client {
	all := append([]client.Option{client.ContentType(contentType)}, opts...)
	rc := &grpcClient{done: make(chan struct{})}
	o := client.NewOptions(all...)
	rc.current.Store(rc.newState(o, nil))

	var c client.Client = rc
	for i := len(o.Wrappers) - 1; i >= 0; i-- {
		c = o.Wrappers[i](c)
	}
	return c
}

// Init applies options; calls that have begun go on with those that they began
// with. A change of the registry, or of how connections are made, closes what
// served the old one as soon as those calls have ended. A selector that was
// initialised itself, instead of through this client, is looked at anew.
func (c *grpcClient) Init(opts ...client.Option) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("set up the client: %w", client.ErrClosed)
	}
	old := c.current.Load()
	o := old.opts
	o.Codecs = maps.Clone(o.Codecs)
	for _, opt := range opts {
		opt(&o)
	}
	next := c.newState(o, old)
	c.current.Store(next)
	if b := old.backends; b != next.backends {
		b.retire()
		c.wg.Go(func() {
			select {
			case <-b.drained:
			case <-c.done:
			}
			b.close()
		})
	}
	return nil
}

// Options returns the options in force. Maps and slices in them are shared and
// must not be changed.
func (c *grpcClient) Options() client.Options { return c.current.Load().opts }

// NewMessage prepares a message for Publish.
func (c *grpcClient) NewMessage(topic string, msg any, opts ...client.MessageOption) client.Message {
	return newMessage(topic, msg, c.current.Load().opts.ContentType, opts)
}

// NewRequest prepares a request for Call.
func (c *grpcClient) NewRequest(service, endpoint string, req any, opts ...client.RequestOption) client.Request {
	return newRequest(service, endpoint, req, c.current.Load().opts.ContentType, opts)
}

// String returns "grpc".
func (c *grpcClient) String() string { return "grpc" }

// Close ends the calls in flight and what they started, and waits for the latter.
// Calls made from then on fail. It may be called more than once.
func (c *grpcClient) Close() error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.done)
		b := c.current.Load().backends
		b.retire()
		c.wg.Go(b.close)
	}
	c.mu.Unlock()
	c.wg.Wait()
	return nil
}

// enter returns the options in force for a call, which must leave their backends.
func (c *grpcClient) enter() (*state, error) {
	for {
		s := c.current.Load()
		if s.backends.enter() {
			return s, nil
		}
		if s == c.current.Load() { // not replaced, so closed for good
			return nil, failure(client.ErrClosed.Error(), client.ErrClosed)
		}
	}
}
