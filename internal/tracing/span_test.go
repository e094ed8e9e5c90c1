package tracing_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/debug/trace/memory"
	"github.com/rollcall-go/micro/internal/tracing"
)

func TestSpan(t *testing.T) {
	tr := memory.NewTracer()
	ctx, s := tracing.Start(t.Context(), tr, trace.SpanTypeRequestOutbound, "shop", "Cart.Add")
	s.End(errors.New("no room"))
	id, _, _ := trace.FromContext(ctx)
	spans, err := tr.Read(trace.ReadTrace(id))
	if err != nil || len(spans) != 1 || spans[0].Name != "shop.Cart.Add" || spans[0].Type != trace.SpanTypeRequestOutbound || spans[0].Metadata["error"] != "no room" {
		t.Errorf("kept is %v, %v", spans, err)
	}
	tracing.Span{}.End(nil)
}

// absent is a tracer that makes no spans, as that of v2 which does nothing.
type absent struct{ trace.Tracer }

func (absent) Start(context.Context, string) (context.Context, *trace.Span) { return nil, nil }

func TestTracerWithoutSpans(t *testing.T) {
	ctx, s := tracing.Start(t.Context(), absent{}, trace.SpanTypeRequestInbound, "shop", "Cart.Add")
	if s.End(nil); ctx != t.Context() {
		t.Errorf("the context is %v", ctx)
	}
}
