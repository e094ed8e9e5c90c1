package grpc

import (
	"context"
	stderrors "errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
)

// streams are the streams of the program's methods that have not ended. The zero
// value is ready for use.
type streams struct {
	mu   sync.Mutex // guards open
	open map[*openStream]struct{}
}

// openStream is a stream that can be ended from without, whatever its handler does.
type openStream struct {
	all       *streams
	transport interface{ WriteStatus(*status.Status) error } // nil if grpc has none
	unwatch   func() bool
	why       atomic.Pointer[errors.Error] // what ended it from without
}

// enter counts a stream in, until leave. When ctx, which may end before that of the
// stream, is over by its deadline, the stream ends.
func (s *streams) enter(ctx context.Context, raw grpc.ServerStream) *openStream {
	o := &openStream{all: s}
	o.transport, _ = grpc.ServerTransportStreamFromContext(raw.Context()).(interface{ WriteStatus(*status.Status) error })
	s.mu.Lock()
	if s.open == nil {
		s.open = map[*openStream]struct{}{}
	}
	s.open[o] = struct{}{}
	s.mu.Unlock()
	o.unwatch = func() bool { return true }
	if ours, bounded := ctx.Deadline(); bounded {
		if grpcs, also := raw.Context().Deadline(); !also || ours.Before(grpcs) {
			o.unwatch = context.AfterFunc(ctx, func() { o.endWith(ctx.Err()) })
		}
	}
	return o
}

func (o *openStream) leave() {
	o.unwatch()
	o.all.mu.Lock()
	defer o.all.mu.Unlock()
	delete(o.all.open, o)
}

// endWith ends the stream for err, the error of its context.
func (o *openStream) endWith(err error) {
	if stderrors.Is(err, context.DeadlineExceeded) { // otherwise grpc has ended it
		o.end(errors.FromError(errors.Wrap(rpc.ServerID, err.Error(), http.StatusRequestTimeout, err)))
	}
}

// end tells the client that the stream is over, and why; its handler's context ends.
func (o *openStream) end(why *errors.Error) {
	if o.transport != nil && o.why.CompareAndSwap(nil, why) {
		// A caller that has gone needs no answer.
		_ = o.transport.WriteStatus(status.Convert(rpc.ToStatus(why)))
	}
}

// endAll ends the streams that are open and returns how many they were.
func (s *streams) endAll(why *errors.Error) int {
	s.mu.Lock()
	open := make([]*openStream, 0, len(s.open))
	for o := range s.open {
		open = append(open, o)
	}
	s.mu.Unlock()
	for _, o := range open {
		o.end(why)
	}
	return len(open)
}

// stopping is the error of a stream that outlived the grace of a stopping server.
func stopping(grace time.Duration) *errors.Error {
	return errors.FromError(errors.New(rpc.ServerID, fmt.Sprintf("the server is stopping, and the stream did not end within its grace of %s", grace), http.StatusServiceUnavailable))
}
