package memory_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/debug/trace/memory"
	"github.com/rollcall-go/micro/metadata"
)

func TestSpansOfATrace(t *testing.T) {
	tr := memory.NewTracer()
	ctx, first := tr.Start(t.Context(), "first")
	below, second := tr.Start(ctx, "second")
	if first.Trace == "" || first.Parent != "" || second.Trace != first.Trace || second.Parent != first.Id || second.Id == first.Id {
		t.Fatalf("got %+v and below it %+v", first, second)
	}
	if id, span, ok := trace.FromContext(below); !ok || id != first.Trace || span != second.Id {
		t.Errorf("the context has %q, %q, %v", id, span, ok)
	}
	second.Metadata["error"] = strings.Repeat("x", 1<<20)
	for _, s := range []*trace.Span{second, first} {
		if err := tr.Finish(s); err != nil {
			t.Fatal(err)
		}
	}
	_, other := tr.Start(nil, "other") //lint:ignore SA1012 v2 takes nil for a trace that begins here
	if err := tr.Finish(other); err != nil {
		t.Fatal(err)
	}
	spans, err := tr.Read(trace.ReadTrace(first.Trace))
	if err != nil || len(spans) != 2 || spans[0] != second || spans[1] != first || first.Duration <= 0 {
		t.Errorf("the trace has %v, %v", spans, err)
	}
	if all, err := tr.Read(); err != nil || len(all) != 3 {
		t.Errorf("there are %d spans, %v", len(all), err)
	}
	if n := len(second.Metadata["error"]); n > 2<<10 {
		t.Errorf("%d bytes of an error are kept", n)
	}
}

func TestTheNewestAreKept(t *testing.T) {
	for want, opts := range map[int][]trace.Option{256: nil, 2: {func(o *trace.Options) { o.Size = 2 }}} {
		tr := memory.NewTracer(opts...)
		for range 300 {
			_, s := tr.Start(t.Context(), "x")
			if err := tr.Finish(s); err != nil {
				t.Fatal(err)
			}
		}
		if spans, err := tr.Read(); err != nil || len(spans) != want {
			t.Errorf("%d spans are kept, want %d", len(spans), want)
		}
	}
}

func TestWhatBelongsToATrace(t *testing.T) {
	for name, tc := range map[string]struct {
		md    metadata.Metadata
		trace string
		ok    bool
	}{
		"both":          {metadata.Metadata{"micro-trace-id": "t", "micro-span-id": "s"}, "t", true},
		"v2's edge":     {metadata.Metadata{"Micro-Id": "i", "Micro-Span-Id": "s"}, "i", true},
		"no span":       {metadata.Metadata{"Micro-Trace-Id": "t"}, "t", false},
		"no trace":      {metadata.Metadata{"Micro-Span-Id": "s"}, "", false},
		"nothing of it": {metadata.Metadata{"A": "b"}, "", false},
	} {
		id, _, ok := trace.FromContext(metadata.NewContext(t.Context(), tc.md))
		if id != tc.trace || ok != tc.ok {
			t.Errorf("%s: %q, %v", name, id, ok)
		}
	}
}

// TestDefault finds the tracer of this package behind the default, which is made on first
// use.
func TestDefault(t *testing.T) {
	ctx, s := trace.DefaultTracer.Start(t.Context(), "x")
	if err := trace.DefaultTracer.Finish(s); err != nil {
		t.Fatal(err)
	}
	_, id, _ := trace.FromContext(ctx)
	if spans, err := trace.DefaultTracer.Read(trace.ReadTrace(s.Trace)); err != nil || len(spans) != 1 || id != s.Id {
		t.Errorf("it keeps %v, %v", spans, err)
	}
}

func Example() {
	tr := memory.NewTracer()
	ctx, request := tr.Start(context.Background(), "shop.Cart.Add")
	_, query := tr.Start(ctx, "query stock")
	_ = tr.Finish(query)
	_ = tr.Finish(request)
	spans, err := tr.Read(trace.ReadTrace(request.Trace))
	if err != nil {
		fmt.Println(err)
	}
	for _, s := range spans {
		fmt.Println(s.Name, s.Parent == request.Id)
	}
	// Output:
	// query stock true
	// shop.Cart.Add false
}
