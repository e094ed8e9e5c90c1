package conn

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
)

// Conn is the connection to one address, which is made when it is first needed
// and made again when it broke. It may be held for as long as one likes: once the
// set has closed it, its calls go over the one that took its place.
type Conn struct {
	set     *Set
	address string
	cc      *grpc.ClientConn

	state  atomic.Int32  // a connectivity.State
	calls  atomic.Int64  // in flight; far below zero once closed
	used   atomic.Int64  // Set.clock at the beginning of the last call
	direct atomic.Bool   // the program named the address
	absent time.Duration // when it was first missed among the listed, the sweeper's own
}

var _ grpc.ClientConnInterface = (*Conn)(nil)

// closed is what calls is lowered by when the connection is closed: so far that
// no number of calls brings it above zero again.
const closed = math.MinInt64 / 2

// Address returns the address as it was given to the set.
func (c *Conn) Address() string { return c.address }

// State returns how far the connection is: Idle (none, and none is being made),
// Connecting, Ready, TransientFailure (the last attempt failed, and none has
// succeeded since) or Shutdown.
func (c *Conn) State() connectivity.State {
	if c.calls.Load() < 0 {
		return connectivity.Shutdown
	}
	return connectivity.State(c.state.Load())
}

// Connect begins to connect, if the connection is idle. It does not wait.
func (c *Conn) Connect() {
	if c.State() == connectivity.Idle {
		c.cc.Connect()
	}
}

// Invoke makes a unary call. While the connection is being made it waits; when
// that fails it returns a [ConnectError], unless the options hold
// grpc.WaitForReady(true): then it waits until ctx ends.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	c, err := c.hold()
	if err != nil {
		return err
	}
	defer c.release()
	return c.cc.Invoke(waiting(ctx, opts), method, args, reply, opts...)
}

// NewStream opens a stream, waiting for the connection as Invoke does. The stream
// counts as a call in flight until it ends in one of the ways that
// grpc.ClientConn.NewStream lists.
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	c, err := c.hold()
	if err != nil {
		return nil, err
	}
	release := sync.OnceFunc(c.release)
	ctx = waiting(ctx, opts)
	opts = append(slices.Clip(opts), grpc.OnFinish(func(error) { release() }))
	s, err := c.cc.NewStream(ctx, desc, method, opts...)
	if err != nil {
		release() // an interceptor of the program may have failed before grpc began
	}
	return s, err
}

// hold counts a call in, on c or on the connection that took its place.
func (c *Conn) hold() (*Conn, error) {
	for {
		if c.calls.Add(1) > 0 {
			if now := c.set.clock.Load(); c.used.Load() != now {
				c.used.Store(now)
			}
			return c, nil
		}
		c.calls.Add(-1)
		next, err := c.set.get(c.address, c.direct.Load())
		if err != nil {
			return nil, err
		}
		c = next
	}
}

func (c *Conn) release() { c.calls.Add(-1) }

// retire closes c to new calls and reports true, unless there are calls in
// flight.
func (c *Conn) retire() bool { return c.calls.CompareAndSwap(0, closed) }

// observe takes note of a state on its way from the policy to grpc.
func (c *Conn) observe(s balancer.State) {
	c.state.Store(int32(s.ConnectivityState))
	if s.ConnectivityState == connectivity.TransientFailure && c.set.opts.Failed != nil {
		c.set.opts.Failed(c.address)
	}
}

// close ends the connection and what runs on it. The caller has marked it closed.
func (c *Conn) close() {
	_ = c.cc.Close() // fails only when closed already
}
