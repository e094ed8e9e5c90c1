// Package settings keeps the options of one implementation in the Context of a
// contract's options, where house and programs may put what the contract has no
// field for.
//
// A context holds one value of each type, so an implementation puts all that is
// its own into one struct type, and nobody else can name or change an unexported
// one.
package settings

import "context"

// key is the place of a T in a context.
type key[T any] struct{}

// Of returns the T in ctx, which may be nil, and whether there is one.
func Of[T any](ctx context.Context) (T, bool) {
	if ctx == nil {
		var zero T
		return zero, false
	}
	v, ok := ctx.Value(key[T]{}).(T)
	return v, ok
}

// With returns ctx, which may be nil, with v in place of the T that was there.
// What v points at is from then on shared with everybody who has a context made
// from this one: change a copy.
func With[T any](ctx context.Context, v T) context.Context {
	if ctx == nil {
		ctx = context.Background() // the root of values alone: nothing waits on it
	}
	return context.WithValue(ctx, key[T]{}, v)
}
