package conn

import (
	"context"
	"math"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"

	"github.com/rollcall-go/micro/internal/endpoint"
)

// wire is one connection to a node, which is made when it is first needed and made
// again when it broke.
type wire struct {
	conn   *Conn
	cc     *grpc.ClientConn
	framed atomic.Pointer[framed] // nil before the first, and with credentials of the program

	state       atomic.Int32  // an endpoint.State
	calls       atomic.Int64  // in flight; far below zero once closed
	begun       atomic.Uint64 // calls and messages of streams, ever
	openStreams atomic.Int64  // of the calls in flight
	received    atomic.Uint64 // reads that brought something, ever
	doubted     atomic.Bool   // a ping is not answered as quickly as one should be
	streams     atomic.Int64  // calls that the server allows at once; 0 is not known yet

	known     chan struct{} // closed once the first attempt to connect has ended
	knownOnce sync.Once

	retired bool          // takes no new calls; guarded by conn.mu
	born    time.Duration // by the clock of watching; guarded by conn.mu, as is what follows
	idle    time.Duration // since when there is no call on it, zero if there is one
	hearing hearing
	pulse   pulse
}

const (
	// closed is what calls is lowered by when the wire is closed: so far that no
	// number of calls brings it above zero again.
	closed = math.MinInt64 / 2
	// unlimited is the number of streams where the server names none.
	unlimited = math.MaxInt64
)

// newWire makes a wire of c that is not connected.
func (c *Conn) newWire() (*wire, error) {
	w := &wire{conn: c, known: make(chan struct{}), born: time.Duration(c.set.watching.clock.Load())}
	cc, err := grpc.NewClient(scheme+":///"+url.PathEscape(c.endpoint.Host), c.set.opts.dial(w)...)
	if err != nil {
		return nil, &endpoint.ConnectError{Address: c.endpoint.Host, Err: err}
	}
	w.cc = cc
	return w, nil
}

// take counts a call in and reports true, unless the server allows no more or the
// wire was closed.
func (w *wire) take() bool {
	if n := w.calls.Add(1); n > 0 && n <= w.streams.Load() {
		w.begun.Add(1)
		return true
	}
	w.calls.Add(-1)
	return false
}

// force counts a call in, whatever the server allows. The caller holds conn.mu and
// w is not closed.
func (w *wire) force() {
	w.calls.Add(1)
	w.begun.Add(1)
}

func (w *wire) release() { w.calls.Add(-1) }

// settle takes note of how many streams the server allows.
func (w *wire) settle(streams int64) {
	if most := int64(w.conn.set.opts.MaxStreams); most > 0 {
		streams = min(streams, most)
	}
	w.streams.Store(max(streams, 1))
}

func (w *wire) is(s endpoint.State) bool { return endpoint.State(w.state.Load()) == s }

// states are what grpc's states are called here.
var states = map[connectivity.State]endpoint.State{
	connectivity.Idle:             endpoint.Idle,
	connectivity.Connecting:       endpoint.Connecting,
	connectivity.Ready:            endpoint.Ready,
	connectivity.TransientFailure: endpoint.Failing,
	connectivity.Shutdown:         endpoint.Closed,
}

// observe takes note of a state on its way from the policy to grpc.
func (w *wire) observe(s balancer.State) {
	state := states[s.ConnectivityState]
	w.state.Store(int32(state))
	switch state {
	case endpoint.Ready, endpoint.Failing:
		w.learn()
	}
	c := w.conn
	if state == endpoint.Ready && c.current.Load() == w {
		c.silent.Store(false)
	}
	if state == endpoint.Failing && c.set.opts.Failed != nil {
		c.set.opts.Failed(c.endpoint)
	}
}

// broke says that nothing more can be read from the present connection. It is told
// before grpc is, while the calls on it still count.
func (w *wire) broke() {
	if w.unanswered() > 0 {
		w.conn.load.Broke()
	}
}

// unspoken returns err, with which reading ended before the node had sent its first
// frame, with what that means; first is what it had sent.
func (w *wire) unspoken(err error, first []byte) error {
	return w.conn.set.opts.TLS.Ended(nodeOf(w.conn.endpoint), err, first)
}

// learn ends the wait for how many streams the server allows. Where nothing is
// known of it by now, there is no limit.
func (w *wire) learn() {
	w.knownOnce.Do(func() {
		if w.streams.Load() == 0 {
			w.settle(unlimited)
		}
		close(w.known)
	})
}

// tryClose marks w as closed and reports true, unless there are calls in flight.
// The caller then calls close.
func (w *wire) tryClose() bool { return w.calls.CompareAndSwap(0, closed) }

// close ends the connection and the calls on it. No lock may be held: grpc tells
// the policy, which tells observe.
func (w *wire) close() {
	w.learn()
	_ = w.cc.Close() // fails only when closed already
}

// invoke makes a unary call.
func (w *wire) invoke(ctx context.Context, method string, args, reply any, opts []grpc.CallOption) error {
	return w.cc.Invoke(waiting(ctx, opts), method, args, reply, opts...)
}

type waitKey struct{}

// waiting returns ctx with the note that the call waits until the node can be
// reached, if the options demand so.
func waiting(ctx context.Context, opts []grpc.CallOption) context.Context {
	wait := false
	for _, o := range opts {
		if f, ok := o.(grpc.FailFastCallOption); ok {
			wait = !f.FailFast
		}
	}
	if wait {
		return context.WithValue(ctx, waitKey{}, true)
	}
	return ctx
}

func waits(ctx context.Context) bool { return ctx.Value(waitKey{}) != nil }
