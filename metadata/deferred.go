package metadata

import (
	"context"
	"sync"
)

// NewDeferredContext returns a context with the metadata that read makes of ctx, in
// place of any that ctx has. read is called once, when somebody asks, from any
// goroutine; nobody may write what it returned. It is for servers, whose handlers
// often do not ask.
func NewDeferredContext(ctx context.Context, read func(context.Context) Metadata) context.Context {
	return &deferred{Context: ctx, read: read}
}

// deferred is a context of its own, and not a value in another: a request then costs
// one allocation.
type deferred struct {
	context.Context
	read func(context.Context) Metadata
	once sync.Once
	md   Metadata // by read
}

// Value returns the metadata, or what the context around has under the key.
func (d *deferred) Value(key any) any {
	if key != (contextKey{}) {
		return d.Context.Value(key)
	}
	d.once.Do(func() { d.md = d.read(d.Context) })
	return d.md
}

// stored returns the metadata of ctx as it is kept there, and whether ctx has any.
func stored(ctx context.Context) (Metadata, bool) {
	md, ok := ctx.Value(contextKey{}).(Metadata)
	return md, ok
}
