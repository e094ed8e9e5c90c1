package feed

import (
	"context"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
)

// late is a Source for a registry that is chosen later, or again after the first one
// has ended.
type late struct{ placeholder ability.Placeholder }

var _ Resolver = late{}

// Follow follows what is behind the placeholder, for as long as it is that.
func (l late) Follow(ctx context.Context, name string, sink Sink) error {
	for {
		changed := l.placeholder.Changed()
		r := l.placeholder.Unwrap()
		if r == nil {
			sink.Status(Status{Err: ability.Check(l.placeholder), Since: time.Now()})
			select {
			case <-ctx.Done():
				return nil
			case <-changed:
			}
			continue
		}
		err := followUntil(ctx, changed, Of(r), name, sink)
		select {
		case <-changed:
		default:
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// followUntil follows source until something has changed.
func followUntil(ctx context.Context, changed <-chan struct{}, source Source, name string, sink Sink) error {
	ctx, cancel := context.WithCancel(ctx)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-changed:
			cancel()
		case <-ctx.Done():
		}
	})
	defer waiting.Wait()
	defer cancel()
	return source.Follow(ctx, name, sink)
}

// Resolve asks what was chosen, and knows nothing more where that cannot tell.
func (l late) Resolve(ctx context.Context, gone []Departure) ([]Cause, error) {
	if r := l.placeholder.Unwrap(); r != nil {
		if resolver, ok := Of(r).(Resolver); ok {
			return resolver.Resolve(ctx, gone)
		}
	}
	causes := make([]Cause, len(gone))
	for i, d := range gone {
		causes[i] = d.Cause
	}
	return causes, nil
}
