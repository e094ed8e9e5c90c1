package fleet

import (
	"context"
	"runtime"
	"sync/atomic"

	"google.golang.org/grpc/stats"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/server"
)

// Vitals is what a node of a process of its own says of itself.
type Vitals struct {
	Handlers    int64 // that have not returned, without the one that says so
	Connections int64 // that are open
	Goroutines  int
}

// VitalsOf asks a node for its vitals, by its address.
func VitalsOf(ctx context.Context, c client.Client, address string) (Vitals, error) {
	var v Vitals
	req := c.NewRequest(ProcessName, "Counts.Look", &Text{}, client.WithContentType(contentJSON))
	return v, c.Call(ctx, req, &v, client.WithAddress(address))
}

// Counts is served by every process of a fleet: it tells what the node has under way.
type Counts struct{ of *counts }

// Look answers with the vitals.
func (c *Counts) Look(_ context.Context, _ *Text, rsp *Vitals) error {
	*rsp = Vitals{Handlers: c.of.handlers.Load() - 1, Connections: c.of.connections.Load(), Goroutines: runtime.NumGoroutine()}
	return nil
}

// counts counts what a node has under way.
type counts struct{ handlers, connections atomic.Int64 }

// count counts handlers of calls and of streams.
func (v *counts) count(next server.HandlerFunc) server.HandlerFunc {
	return func(ctx context.Context, req server.Request, rsp any) error {
		v.handlers.Add(1)
		defer v.handlers.Add(-1)
		return next(ctx, req, rsp)
	}
}

var _ stats.Handler = (*counts)(nil)

// HandleConn counts connections.
func (v *counts) HandleConn(_ context.Context, s stats.ConnStats) {
	switch s.(type) {
	case *stats.ConnBegin:
		v.connections.Add(1)
	case *stats.ConnEnd:
		v.connections.Add(-1)
	}
}

// HandleRPC does nothing.
func (v *counts) HandleRPC(context.Context, stats.RPCStats) {}

// TagConn does nothing.
func (v *counts) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// TagRPC does nothing.
func (v *counts) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
