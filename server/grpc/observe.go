package grpc

import (
	"context"
	"strings"

	"github.com/rollcall-go/micro/debug/stats"
	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/tracing"
	"github.com/rollcall-go/micro/server"
)

// observer notes what is served: how many calls there were and failed, and those of
// traces.
type observer struct {
	stats  stats.Stats
	tracer trace.Tracer
	begins bool // traces of its own, beside those that arrive
}

func newObserver(o server.Options) observer {
	if o.Tracer != nil {
		return observer{stats.DefaultStats, o.Tracer, true}
	}
	return observer{stats.DefaultStats, trace.DefaultTracer, false}
}

// count notes a call that has been served. It costs no allocation, nor does it wait.
func (o observer) count(err error) {
	if o.stats != nil {
		_ = o.stats.Record(err) // nobody to tell
	}
}

// begin begins the span of a call and returns ctx with it. Calls of no trace, and those
// that ask the service about itself, have none.
func (o observer) begin(ctx context.Context, h rpc.Headers, service, endpoint string) (context.Context, tracing.Span) {
	if o.tracer == nil || !o.begins && !h.Traced() || strings.HasPrefix(endpoint, "Debug.") {
		return ctx, tracing.Span{}
	}
	return tracing.Start(ctx, o.tracer, trace.SpanTypeRequestInbound, service, endpoint)
}
