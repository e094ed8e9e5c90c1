// Package tracing puts calls into spans, for whoever makes them or serves them.
package tracing

import (
	"context"

	"github.com/rollcall-go/micro/debug/trace"
)

// Span is the span of a call that is under way. The zero value is that of a call which is
// not traced.
type Span struct {
	tracer trace.Tracer
	span   *trace.Span
}

// Start begins the span of a call to an endpoint of a service, and returns ctx with it.
func Start(ctx context.Context, t trace.Tracer, typ trace.SpanType, service, endpoint string) (context.Context, Span) {
	with, s := t.Start(ctx, service+"."+endpoint)
	if with == nil { // v2's own tracer without effect returns nothing
		with = ctx
	}
	if s != nil {
		s.Type = typ
	}
	return with, Span{t, s}
}

// End ends the span with the error of the call, which may be nil.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil {
		if s.span.Metadata == nil {
			s.span.Metadata = map[string]string{}
		}
		s.span.Metadata["error"] = err.Error()
	}
	_ = s.tracer.Finish(s.span) // nobody to tell
}
