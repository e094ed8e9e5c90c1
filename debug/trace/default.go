package trace

import (
	"context"
	"sync"

	"github.com/rollcall-go/micro/internal/defaults"
)

// DefaultTracer is where the spans of the process are kept. It is made on first use, and
// is debug/trace/memory's where that is linked, as in every program that imports the root
// of the module; else it keeps nothing. It belongs to the program; replace it before a
// service is made.
var DefaultTracer Tracer = &deferred{}

// deferred is a tracer that is made when it is first used.
type deferred struct {
	once   sync.Once
	tracer Tracer
}

func (d *deferred) get() Tracer {
	d.once.Do(func() {
		d.tracer = noop{}
		if construct, ok := defaults.Load[func(...Option) Tracer](&defaults.Tracer); ok {
			d.tracer = construct()
		}
	})
	return d.tracer
}

func (d *deferred) Start(ctx context.Context, name string) (context.Context, *Span) {
	return d.get().Start(ctx, name)
}
func (d *deferred) Finish(s *Span) error                     { return d.get().Finish(s) }
func (d *deferred) Read(opts ...ReadOption) ([]*Span, error) { return d.get().Read(opts...) }

// noop is a tracer that keeps nothing and leaves contexts as they are.
type noop struct{}

func (noop) Start(ctx context.Context, name string) (context.Context, *Span) {
	return ctx, &Span{Name: name, Metadata: map[string]string{}}
}
func (noop) Finish(*Span) error                  { return nil }
func (noop) Read(...ReadOption) ([]*Span, error) { return nil, nil }
