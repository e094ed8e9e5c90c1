package wrapping

import (
	"context"
	"reflect"

	"github.com/rollcall-go/micro/client"
)

// Cached returns a client that answers calls which were made with client.WithCache before
// from the cache that of returns; none is used while that is nil. Most calls are made without
// the option, and then it is not asked for.
func Cached(of func() *client.Cache, c client.Client) client.Client {
	return &cached{Client: c, of: of}
}

type cached struct {
	client.Client
	of func() *client.Cache
}

func (c *cached) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	if len(opts) == 0 {
		return c.Client.Call(ctx, req, rsp)
	}
	var o client.CallOptions
	for _, opt := range opts {
		opt(&o)
	}
	if o.CacheExpiry <= 0 || req == nil || rsp == nil {
		return c.Client.Call(ctx, req, rsp, opts...)
	}
	cache := c.of()
	if cache == nil {
		return c.Client.Call(ctx, req, rsp, opts...)
	}
	if kept, ok := cache.Get(ctx, &req); ok && copyInto(rsp, kept) {
		return nil
	}
	if err := c.Client.Call(ctx, req, rsp, opts...); err != nil {
		return err
	}
	if own := reflect.ValueOf(rsp); own.Kind() == reflect.Pointer {
		kept := reflect.New(own.Type().Elem())
		if copyInto(kept.Interface(), rsp) {
			cache.Set(ctx, &req, kept.Interface(), o.CacheExpiry)
		}
	}
	return nil
}
