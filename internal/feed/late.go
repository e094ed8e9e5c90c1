package feed

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
)

// late is a Source for a registry that is chosen later, or again after the first one
// has ended.
type late struct{ placeholder ability.Placeholder }

var _ Resolver = late{}

// Follow waits for the choice, and then follows what was chosen for as long as it is
// the choice.
func (l late) Follow(ctx context.Context, name string, sink Sink) error {
	for {
		chosen := l.placeholder.Chosen()
		r := l.placeholder.Unwrap()
		if r == nil {
			sink.Status(Status{Err: ability.Check(l.placeholder), Since: time.Now()})
			select {
			case <-ctx.Done():
				return nil
			case <-chosen:
			}
			continue
		}
		err := Of(r).Follow(ctx, name, sink)
		if ctx.Err() != nil || l.placeholder.Chosen() == chosen {
			return err
		}
	}
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
