package grpc

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/rpc"
)

// Stream opens a stream on a node of the service. What it returns is a
// client.HalfCloser as well.
//
// The stream lasts until ctx ends, and no longer than WithStreamTimeout, or
// StreamTimeout of the client's options, allows. What bounds a call bounds the opening
// alone: to find a node, to connect, and to try elsewhere. Call wrappers surround
// each attempt to open and get the stream in the place of the response. Once it is
// open nothing is tried again.
//
// A stream is to be closed, or received from until it ends, or its context is to end.
// One that the program dropped all the same ends when the garbage collector finds it.
func (c *grpcClient) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	if req == nil {
		return nil, failure("req is nil", nil)
	}
	s, err := c.enter()
	if err != nil {
		return nil, err
	}
	co, given := s.opts.CallOptions, time.Duration(0)
	if len(opts) > 0 {
		co, given = s.with(opts)
	}
	if expired(ctx) != nil {
		s.backends.leave()
		return nil, timeoutError(ctx, "")
	}
	st := newStream(ctx, req, co.StreamTimeout, s.backends.leave)
	if err := c.open(ctx, s, st, co, given); err != nil {
		st.end()
		s.backends.leave()
		return nil, err
	}
	return st, nil
}

// open opens the stream within the time of a call. given is the request timeout
// among the options of this stream, zero if there is none.
func (c *grpcClient) open(ctx context.Context, s *state, st *stream, co client.CallOptions, given time.Duration) error {
	until, bounded := st.ctx.Deadline()
	if !bounded && given <= 0 {
		given = co.RequestTimeout
	}
	if soon := time.Now().Add(given); given > 0 && (!bounded || soon.Before(until)) {
		until, bounded = soon, true
	}
	opening, cancel := context.WithCancel(ctx)
	if bounded {
		cancel()
		opening, cancel = context.WithDeadline(ctx, until)
		co.RequestTimeout = time.Until(until)
	}
	defer cancel()
	// What grpc opens lasts longer than the opening, which has to end it all the same.
	keep := context.AfterFunc(opening, st.cancel)
	if err := c.attempts(opening, s, st.request, st, co); err != nil {
		keep()
		return err
	}
	if st.raw == nil {
		keep()
		return failure("open a stream: a call wrapper returned without an error and had opened none", nil)
	}
	if !keep() {
		return timeoutError(opening, "open the stream")
	}
	st.begin()
	if own := callSettingsOf(co.Context); own.opened != nil {
		own.opened(st)
	}
	return nil
}

// everyKind is the description of a stream by which grpc supposes nothing.
var everyKind = &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}

// open opens the stream on a node, with the values of ctx. done is called when the
// connection is not needed any more.
func (c *conversation) open(ctx context.Context, cc grpc.ClientConnInterface, done func(), codec *rpc.Codec, own *callSettings, opts []grpc.CallOption) error {
	if c.raw != nil {
		done()
		return failure("open a stream again: it is open already, and a call wrapper failed after that", nil)
	}
	desc := own.desc
	if desc == nil {
		desc = everyKind
	}
	// The call is counted out when it is settled that the stream is open and grpc has
	// ended it: of an attempt that failed only the latter comes.
	var halves atomic.Int32
	half := func() {
		if halves.Add(1) == 2 {
			c.leave()
		}
	}
	opts = append(slices.Clip(opts), grpc.OnFinish(func(error) { half() }))
	raw, err := cc.NewStream(streamContext{c.life, ctx}, desc, rpc.Path(c.request.Service(), c.request.Endpoint()), opts...)
	if err != nil {
		done()
		return err
	}
	c.raw, c.opened, c.done, c.codec = raw, half, done, codec
	c.asGRPC, c.single = own.raw, !desc.ServerStreams
	return nil
}
