package metadata

import "context"

// NewDeferredContext returns a context with the metadata that md returns in place
// of any that ctx has. md is called when somebody asks, each time and from any
// goroutine; it must return the same map, which nobody writes any more. It is for
// servers, whose handlers often do not ask.
func NewDeferredContext(ctx context.Context, md func() Metadata) context.Context {
	return context.WithValue(ctx, contextKey{}, md)
}

// stored returns the metadata of ctx as it is kept there, and whether ctx has any.
func stored(ctx context.Context) (Metadata, bool) {
	switch md := ctx.Value(contextKey{}).(type) {
	case Metadata:
		return md, true
	case func() Metadata:
		return md(), true
	default:
		return nil, false
	}
}
