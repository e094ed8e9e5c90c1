package embedded

import (
	"context"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
)

// streams ends what clients keep open, the watches and the lease keep-alives,
// when the etcd is to stop. Without it every stop would wait several seconds for
// clients that do not mean to leave.
type streams struct {
	ctx context.Context
	end context.CancelFunc
}

func newStreams() *streams {
	// Ended by stop.
	ctx, cancel := context.WithCancel(context.Background())
	return &streams{ctx: ctx, end: cancel}
}

// intercept runs a stream under a context that end cancels. The client is then
// told that the server stopped, which makes it reconnect; the cancellation itself
// would make it give up.
func (s *streams) intercept(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	err := handle(srv, &boundStream{stream, ctx})
	if s.ctx.Err() != nil {
		return rpctypes.ErrGRPCStopped
	}
	return err
}

// boundStream is a stream with another context.
type boundStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (b *boundStream) Context() context.Context { return b.ctx }
