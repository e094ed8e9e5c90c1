// Package attempt tells the function that decides on a retry what the transport
// knows about the attempt that failed.
package attempt

import "context"

// Facts are what a client knows about a failed attempt.
type Facts struct {
	// Unrun says that no handler can have run: nothing of the request was written, or
	// the server turned it away before it began.
	Unrun bool
	// Idempotent says that the method may run twice.
	Idempotent bool
}

type key struct{}

// Mark returns ctx with the facts about an attempt. A client marks the context that it
// hands to a RetryFunc, for every failure, so that the mark of an outer call never
// speaks for an inner one.
func Mark(ctx context.Context, f Facts) context.Context {
	return context.WithValue(ctx, key{}, f)
}

// Of returns what Mark stated, and facts that permit nothing where nothing was.
func Of(ctx context.Context) Facts {
	f, _ := ctx.Value(key{}).(Facts)
	return f
}
