package feed

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
)

// late is a Source for a registry that is yet to be chosen.
type late struct{ placeholder ability.Placeholder }

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
