package ability

import (
	"context"

	"github.com/rollcall-go/micro/registry"
)

// Yielder is a registry that obeys WithYield: it settles by itself who owns a
// record, and puts one back whose other owner has gone.
type Yielder interface {
	// Yields reports whether the registry obeys WithYield.
	Yields() bool
}

type yieldKey struct{}

// WithYield marks a registration made on behalf of another process. It never takes
// a record over: while somebody else holds the record it waits, and Register
// reports success. The mark travels in registry.RegisterContext.
func WithYield(ctx context.Context) context.Context {
	return context.WithValue(ctx, yieldKey{}, true)
}

// Yielding reports whether ctx carries the mark. A nil ctx carries none.
func Yielding(ctx context.Context) bool {
	if ctx == nil {
		return false
	}
	v, _ := ctx.Value(yieldKey{}).(bool)
	return v
}

// Yields reports whether r obeys WithYield.
func Yields(r registry.Registry) bool {
	y, ok := As[Yielder](r)
	return ok && y.Yields()
}
