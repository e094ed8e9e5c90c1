package grpc

import (
	"context"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// registerOwn registers a service of the server itself, unless the program brought
// one. The wrappers do not surround it: what asks whether a server lives carries no
// token.
func registerOwn(g *grpc.Server, desc *grpc.ServiceDesc, impl any) {
	if _, brought := g.GetServiceInfo()[desc.ServiceName]; !brought {
		g.RegisterService(desc, impl)
	}
}

// endless reports whether the streams of a service do not end by themselves, whoever
// brought it: those of health and reflection.
func endless(desc *grpc.ServiceDesc) bool {
	return strings.HasPrefix(desc.ServiceName, "grpc.health.") || strings.HasPrefix(desc.ServiceName, "grpc.reflection.")
}

// flushTime is how long a stream that the server ends is given to send what is left: why
// it ends, or NOT_SERVING of health. Only one whose client does not read takes so long.
const flushTime = 500 * time.Millisecond

// endless serves a stream that does not end by itself. It ends once the server has
// deregistered, so that it holds up no stop.
func (i *interceptors) endless(srv any, stream grpc.ServerStream, next grpc.StreamHandler) error {
	stopping := status.Error(codes.Unavailable, "the server is stopping")
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	done := make(chan error, 1)
	if !i.streams.start(func() {
		// Ends at the latest when endless has returned, which ends what it sends and
		// receives on.
		var err error
		defer func() { done <- err }() // deferred for a handler that ends its goroutine
		err = i.recovery.run(ctx, func() error { return next(srv, &endlessStream{contextStream{stream, ctx}, &i.streams}) })
	}) {
		return stopping
	}
	select {
	case err := <-done:
		return err
	case <-i.streams.endC:
	}
	cancel()
	timer := time.NewTimer(flushTime)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
	return stopping
}

// endlessStream is a grpc.ServerStream whose handler is not left waiting for a
// message when its context is done.
type endlessStream struct {
	contextStream
	streams *endlessStreams
}

func (s *endlessStream) RecvMsg(m any) error {
	done := make(chan error, 1)
	// Ends at the latest with the stream.
	if !s.streams.start(func() { done <- s.ServerStream.RecvMsg(m) }) {
		return context.Canceled
	}
	select {
	case err := <-done:
		return err
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// endlessStreams are the goroutines that serve endless streams.
type endlessStreams struct {
	mu    sync.Mutex // keeps new ones from starting when end has been called
	ended bool
	endC  chan struct{} // closed by end
	wg    sync.WaitGroup
}

// start runs serve in a goroutine, unless the streams are ending.
func (s *endlessStreams) start(serve func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.wg.Go(serve)
	}
	return !s.ended
}

// end has the streams end.
func (s *endlessStreams) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	close(s.endC)
}

// wait waits for the goroutines, once the streams have ended. One whose handler does
// not heed its context stays behind, and so does the goroutine here that waits for it.
func (s *endlessStreams) wait() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.wg.Wait()
	}()
	timer := time.NewTimer(flushTime)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
