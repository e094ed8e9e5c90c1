package conn

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/endpoint"
)

// choose returns a wire that has room for a call, and counts the call in. When all
// streams are taken it makes another wire, up to Options.PoolSize; then the call
// waits on the wire with the fewest, and full says so.
func (c *Conn) choose(ctx context.Context) (w *wire, full *full, err error) {
	for {
		var wait <-chan struct{}
		err = c.set.open(c, func(c *Conn, current *wire) {
			w, full, wait, err = c.room(current)
		})
		if wait == nil || err != nil {
			return w, full, err
		}
		select {
		case <-wait:
		case <-ctx.Done(): // which grpc puts into words
			err = c.set.open(c, func(_ *Conn, current *wire) {
				w = current
				w.force()
			})
			return w, nil, err
		}
	}
}

// room looks for a wire with room for a call. It returns a channel to wait for
// instead while the first wire connects: before that it is not known how many
// calls the server allows. The caller holds c.mu.
func (c *Conn) room(current *wire) (*wire, *full, <-chan struct{}, error) {
	if current.streams.Load() == 0 && current.calls.Load() > 0 {
		return nil, nil, current.known, nil
	}
	least, serving := current, 0
	for _, w := range c.wires {
		if w.retired {
			continue
		}
		serving++
		if w.take() {
			return w, nil, nil, nil
		}
		if w.calls.Load() < least.calls.Load() {
			least = w
		}
	}
	switch {
	case current.streams.Load() == 0: // the first call, which begins to connect
		current.force()
		return current, nil, nil, nil
	case serving >= c.set.opts.PoolSize, len(c.wires) >= 2*c.set.opts.PoolSize: // with those that were left
		least.force()
		return least, &full{c.endpoint.Host, serving, int(least.streams.Load())}, nil, nil
	}
	w, err := c.addWire()
	if err != nil {
		return nil, nil, nil, err
	}
	w.streams.Store(current.streams.Load()) // until the server says otherwise
	w.force()
	return w, nil, nil, nil
}

// full describes a connection on which all calls that the server allows are taken.
type full struct {
	address            string
	connections, calls int
}

// invoke makes a call on w, where it has to wait. If it ends before it was begun,
// the error says why.
func (f *full) invoke(ctx context.Context, w *wire, method string, args, reply any, opts []grpc.CallOption) error {
	var p peer.Peer // filled in once the call has a stream
	return f.explain(w.invoke(ctx, method, args, reply, append(slices.Clip(opts), grpc.Peer(&p))), &p)
}

// explain returns the error of a call that had to wait, which has no peer if it ended
// before it was begun. It leaves alone what did not have to wait.
func (f *full) explain(err error, p *peer.Peer) error {
	ended := status.Code(err) == codes.DeadlineExceeded || status.Code(err) == codes.Canceled
	if f != nil && ended && p.Addr == nil && !errors.As(err, new(*endpoint.ConnectError)) {
		return &endpoint.StreamsTakenError{Address: f.address, Connections: f.connections, Calls: f.calls, Err: err}
	}
	return err
}
