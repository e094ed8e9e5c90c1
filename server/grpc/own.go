package grpc

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// registerOwn registers a service of the server itself, unless the program brought
// one. The wrappers do not surround it: what asks whether a server lives carries no
// token.
func (i *interceptors) registerOwn(g *grpc.Server, desc *grpc.ServiceDesc, impl any) {
	if _, brought := g.GetServiceInfo()[desc.ServiceName]; !brought {
		g.RegisterService(desc, impl)
		i.own[desc.ServiceName] = true
	}
}

// lastWord is how long a stream of an own service is given to send what it has yet
// to say, NOT_SERVING for one.
const lastWord = 50 * time.Millisecond

// ownStream serves a stream of an own service. Such streams do not end by
// themselves: they end once the server has deregistered, so that they hold up no
// stop.
func (i *interceptors) ownStream(srv any, stream grpc.ServerStream, next grpc.StreamHandler) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	done := make(chan error, 1)
	i.ownWG.Go(func() {
		// Ends at the latest when ownStream has returned, which ends what it sends and
		// receives on.
		done <- i.recovery.run(ctx, func() error { return next(srv, &contextStream{stream, ctx}) })
	})
	select {
	case err := <-done:
		return err
	case <-i.drainC:
	}
	cancel()
	timer := time.NewTimer(lastWord)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
	return status.Error(codes.Unavailable, "the server is stopping")
}
