package conn

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/endpoint"
)

// Conn is the connection to one endpoint. It may be held for as long as one likes:
// what the set closed is made anew by the next call.
type Conn struct {
	set      *Set
	endpoint endpoint.Endpoint
	load     endpoint.Load

	current atomic.Pointer[wire] // where calls go first; nil if there is none
	silent  atomic.Bool          // nothing comes over current, which is being made anew
	watched atomic.Bool          // in Set.watching
	used    atomic.Int64         // Set.clock at the beginning of the last call
	direct  atomic.Bool          // the program named the endpoint
	pings   atomic.Bool          // the node bears pings

	mu       sync.Mutex // taken after Set.mu; guards what follows
	wires    []*wire
	patience patience      // how long silence is borne
	absent   time.Duration // when it was first missed among the listed, the sweeper's own
}

var _ endpoint.Conn = (*Conn)(nil)

// State returns how ready the connection is.
func (c *Conn) State() endpoint.State {
	w := c.current.Load()
	switch {
	case w == nil:
		return endpoint.Idle
	case c.silent.Load():
		return endpoint.Silent
	case w.doubted.Load():
		return endpoint.Connecting // others first, as long as they are ready
	default:
		return endpoint.State(w.state.Load())
	}
}

// Load returns how busy the node is.
func (c *Conn) Load() *endpoint.Load { return &c.load }

// Connect begins to connect, if the connection is idle. It does not wait.
func (c *Conn) Connect() {
	if c.State() != endpoint.Idle {
		return
	}
	_ = c.set.open(c, func(_ *Conn, w *wire) { w.cc.Connect() }) // the next call is told of an error
}

// Invoke makes a unary call. While the connection is being made it waits; when
// that fails it returns an [endpoint.ConnectError], unless the options hold
// grpc.WaitForReady(true): then it waits until ctx ends.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) (err error) {
	span := c.load.Begin()
	defer func() { span.End(err) }()
	err = errPanicked // what End is told if a codec of the program panics
	err = c.invoke(ctx, method, args, reply, opts)
	return err
}

var errPanicked = status.Error(codes.Canceled, "make the call: panic")

func (c *Conn) invoke(ctx context.Context, method string, args, reply any, opts []grpc.CallOption) error {
	w, full, err := c.hold(ctx)
	if err != nil {
		return err
	}
	defer w.release()
	if full != nil {
		return full.invoke(ctx, w, method, args, reply, opts)
	}
	return w.invoke(ctx, method, args, reply, opts)
}

// hold counts a call in on one of the wires, which the caller releases. If the
// call has to wait until another one ends, full says so.
func (c *Conn) hold(ctx context.Context) (w *wire, full *full, err error) {
	w = c.current.Load()
	if w == nil || !w.take() {
		if w, full, err = c.choose(ctx); err != nil {
			return nil, nil, err
		}
	}
	c = w.conn
	if now := c.set.clock.Load(); c.used.Load() != now {
		c.used.Store(now)
	}
	if !c.watched.Load() {
		c.set.beginWatch(c)
	}
	return w, full, nil
}

// addWire makes another wire. The caller holds c.mu.
func (c *Conn) addWire() (*wire, error) {
	w, err := c.newWire()
	if err == nil {
		c.wires = append(c.wires, w)
	}
	return w, err
}
