// Package http is the transport over HTTP by its name.
package http

import (
	"context"
	"maps"
	"net/http"

	"github.com/rollcall-go/micro/transport"
)

// NewTransport returns transport.NewTransport(opts...).
func NewTransport(opts ...transport.Option) transport.Transport {
	return transport.NewTransport(opts...)
}

// key is where the handlers are, a plain string as in v2.
const key = "http_handlers"

// Handle serves requests for a pattern, other than "/", by a handler on the transport's
// listeners. The pattern is one of http.ServeMux.
func Handle(pattern string, handler http.Handler) transport.Option {
	return func(o *transport.Options) {
		if o.Context == nil {
			o.Context = context.Background()
		}
		handlers, _ := o.Context.Value(key).(map[string]http.Handler)
		handlers = maps.Clone(handlers)
		if handlers == nil {
			handlers = map[string]http.Handler{}
		}
		handlers[pattern] = handler
		//lint:ignore SA1029 v2 keeps the handlers under this plain string, and programs may read them there
		o.Context = context.WithValue(o.Context, key, handlers)
	}
}
