package feed

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
)

// late is a Source for a registry that is yet to be chosen.
type late struct{ placeholder ability.Placeholder }

var _ Resolver = late{}

// Follow waits for the choice, and then follows what was chosen.
func (l late) Follow(ctx context.Context, name string, sink Sink) error {
	sink.Status(Status{Err: ability.Check(l.placeholder), Since: time.Now()})
	select {
	case <-ctx.Done():
		return nil
	case <-l.placeholder.Chosen():
	}
	return Of(ability.Chosen(l.placeholder)).Follow(ctx, name, sink)
}

// Resolve asks what was chosen, and knows nothing more where that cannot tell.
func (l late) Resolve(ctx context.Context, gone []Departure) ([]Cause, error) {
	if r, ok := Of(ability.Chosen(l.placeholder)).(Resolver); ok && l.placeholder.Unwrap() != nil {
		return r.Resolve(ctx, gone)
	}
	causes := make([]Cause, len(gone))
	for i, d := range gone {
		causes[i] = d.Cause
	}
	return causes, nil
}
