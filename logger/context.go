package logger

import "context"

type contextKey struct{}

// NewContext returns a context that carries l.
func NewContext(ctx context.Context, l Logger) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// FromContext returns the logger that ctx carries, and whether it carries one.
func FromContext(ctx context.Context) (Logger, bool) {
	l, ok := ctx.Value(contextKey{}).(Logger)
	return l, ok
}
