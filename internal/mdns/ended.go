package mdns

import (
	"context"
	"fmt"
)

// Ended returns the error of a context that is over, with its cause if that says
// more, nil if ctx is not over, or nil.
func Ended(ctx context.Context) error {
	if ctx == nil || ctx.Err() == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}
