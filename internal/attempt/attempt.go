// Package attempt tells the function that decides on a retry what the transport
// knows about the attempt that failed.
package attempt

import "context"

type key struct{}

// Mark returns ctx with the statement whether the failed attempt was unwritten:
// nothing of the request can have reached a server. A client marks the context
// that it hands to a RetryFunc, for every failure, so that the mark of an outer
// call never speaks for an inner one.
func Mark(ctx context.Context, unwritten bool) context.Context {
	return context.WithValue(ctx, key{}, unwritten)
}

// Unwritten reports what Mark stated, false where nothing was stated.
func Unwritten(ctx context.Context) bool {
	u, _ := ctx.Value(key{}).(bool)
	return u
}
