// Package trace follows requests from service to service.
//
// A trace is made of spans: one where a service is called, one where it serves the call,
// and so on. The headers Micro-Trace-Id and Micro-Span-Id carry trace and span along with
// a call, in go-micro v2 as here, so that a trace may go through both.
//
// Servers and clients of a service continue the traces that arrive with requests, and keep
// the spans in DefaultTracer; they begin traces of their own where micro.Tracer or
// --tracer is given. A program adds spans like this:
//
//	ctx, span := trace.DefaultTracer.Start(ctx, "work")
//	defer trace.DefaultTracer.Finish(span)
package trace

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/metadata"
)

// Tracer keeps spans. Its methods may be used from any goroutine.
type Tracer interface {
	// Start begins a span, below that of ctx if there is one, and returns ctx with it.
	Start(ctx context.Context, name string) (context.Context, *Span)
	// Finish ends the span and keeps it. Nobody may change it any more.
	Finish(*Span) error
	// Read returns the spans that are kept, the oldest first. Nobody may change them.
	Read(...ReadOption) ([]*Span, error)
}

// SpanType tells which side of a call a span is of.
type SpanType int

const (
	// SpanTypeRequestInbound is the type of the span of a call that is served.
	SpanTypeRequestInbound SpanType = iota
	// SpanTypeRequestOutbound is the type of the span of a call that is made.
	SpanTypeRequestOutbound
)

// Span is a part of a trace, which took some time at one place.
type Span struct {
	// Trace is the id of the trace.
	Trace string
	// Name says what was done; of a call it is service and endpoint.
	Name string
	// Id is the id of the span.
	Id string
	// Parent is the id of the span that this one is part of, empty if there is none.
	Parent string
	// Started is when it began.
	Started time.Time
	// Duration is how long it took.
	Duration time.Duration
	// Metadata says more; "error" is what a call ended with, if it failed.
	Metadata map[string]string
	// Type tells which side of a call it is of.
	Type SpanType
}

// The headers of a trace.
const (
	traceHeader = "Micro-Trace-Id"
	spanHeader  = "Micro-Span-Id"
	// idHeader stands for a trace where one is begun by what came in front of v2's
	// services.
	idHeader = "Micro-Id"
)

// FromContext returns the trace and the span that ctx belongs to, by the metadata in it.
// isFound tells whether it has both.
func FromContext(ctx context.Context) (traceID string, parentSpanID string, isFound bool) {
	traceID, ok := metadata.Get(ctx, traceHeader)
	if !ok {
		if traceID, ok = metadata.Get(ctx, idHeader); !ok {
			return "", "", false
		}
	}
	parentSpanID, isFound = metadata.Get(ctx, spanHeader)
	return traceID, parentSpanID, isFound
}

// ToContext returns ctx with the trace and the span in its metadata, which go along with
// the calls made under it.
func ToContext(ctx context.Context, traceID, parentSpanID string) context.Context {
	return metadata.MergeContext(ctx, metadata.Metadata{traceHeader: traceID, spanHeader: parentSpanID}, true)
}
