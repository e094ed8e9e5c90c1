package conn

import (
	"context"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
)

// NewStream opens a stream, waiting for the connection as Invoke does. The stream
// counts as a call in flight until it ends in one of the ways that
// grpc.ClientConn.NewStream lists. That it is open is no reason to expect something
// of the node, and a message that is sent is one.
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	w, full, err := c.hold(ctx)
	if err != nil {
		return nil, err
	}
	c.load.Enter()
	w.openStreams.Add(1)
	w.begun.Add(^uint64(0))
	release := sync.OnceFunc(func() {
		c.load.Leave()
		w.openStreams.Add(-1)
		w.release()
	})
	opts = append(slices.Clip(opts), grpc.OnFinish(func(error) { release() }))
	var p peer.Peer // filled in once the stream has begun
	if full != nil {
		opts = append(opts, grpc.Peer(&p))
	}
	s, err := w.cc.NewStream(waiting(ctx, opts), desc, method, opts...)
	if err != nil {
		release() // an interceptor of the program may have failed before grpc began
		return nil, full.explain(err, &p)
	}
	c.set.Recheck() // whether the node is still there is asked from now on
	return &stream{s, w}, nil
}

// stream is a stream on a wire.
type stream struct {
	grpc.ClientStream
	wire *wire
}

// SendMsg sends a message, upon which something is expected of the node, if only that
// it goes on reading.
func (s *stream) SendMsg(m any) error {
	s.wire.begun.Add(1)
	if c := s.wire.conn; !c.watched.Load() {
		c.set.beginWatch(c)
	}
	return s.ClientStream.SendMsg(m)
}
