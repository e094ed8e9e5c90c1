package settings

import (
	"context"
	"errors"
	"fmt"
)

// Ended returns why ctx, which an option gave and which may be nil, is over: an error
// for which errors.Is(err, ctx.Err()) holds, with the cause before it if there is one.
// It is nil while ctx is not over.
func Ended(ctx context.Context) error {
	if ctx == nil || ctx.Err() == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("%w: %w", cause, ctx.Err())
	}
	return context.Cause(ctx)
}
