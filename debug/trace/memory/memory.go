// Package memory is a tracer that keeps the newest spans in memory.
//
// Importing it makes trace.DefaultTracer such a tracer.
package memory

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/ring"
)

var _ = defaults.Tracer.Set(NewTracer)

const (
	// kept is how many spans are kept.
	kept = 256
	// valueLimit is how many bytes of a value in a span's metadata are kept: an error may
	// quote what somebody sent.
	valueLimit = 1 << 10
)

// Tracer is a tracer that NewTracer made.
type Tracer struct{ spans *ring.Buffer[*trace.Span] }

var _ trace.Tracer = (*Tracer)(nil)

// NewTracer returns a tracer that keeps the newest 256 spans, or as many as
// trace.Options.Size says.
func NewTracer(opts ...trace.Option) trace.Tracer {
	o := trace.Options{Size: kept}
	for _, opt := range opts {
		opt(&o)
	}
	return &Tracer{ring.New[*trace.Span](o.Size)}
}

// Start begins a span: a part of that in ctx, or the first of a new trace.
func (t *Tracer) Start(ctx context.Context, name string) (context.Context, *trace.Span) {
	if ctx == nil {
		ctx = context.Background() // v2 takes nil for a trace that begins here
	}
	s := &trace.Span{Name: name, Id: uuid.NewString(), Started: time.Now(), Metadata: map[string]string{}}
	var found bool
	if s.Trace, s.Parent, found = trace.FromContext(ctx); !found {
		s.Trace, s.Parent = uuid.NewString(), ""
	}
	return trace.ToContext(ctx, s.Trace, s.Id), s
}

// Finish keeps the span.
func (t *Tracer) Finish(s *trace.Span) error {
	s.Duration = time.Since(s.Started)
	for k, v := range s.Metadata {
		if len(v) > valueLimit {
			s.Metadata[k] = strings.ToValidUTF8(v[:valueLimit], "") + "..."
		}
	}
	t.spans.Put(s)
	return nil
}

// Read returns the spans that are kept.
func (t *Tracer) Read(opts ...trace.ReadOption) ([]*trace.Span, error) {
	var o trace.ReadOptions
	for _, opt := range opts {
		opt(&o)
	}
	spans := []*trace.Span{}
	for _, e := range t.spans.Last(-1) {
		if o.Trace == "" || e.Value.Trace == o.Trace {
			spans = append(spans, e.Value)
		}
	}
	return spans, nil
}
