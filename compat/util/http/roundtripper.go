package http

import (
	"net/http"

	"github.com/rollcall-go/micro/client"
	chttp "github.com/rollcall-go/micro/client/http"
	"github.com/rollcall-go/micro/registry"
)

// Options are the settings of a RoundTripper.
type Options struct {
	// Registry is where services are looked up.
	Registry registry.Registry
}

// Option sets a field of Options.
type Option func(*Options)

// WithRegistry sets where services are looked up, in place of registry.DefaultRegistry.
func WithRegistry(r registry.Registry) Option { return func(o *Options) { o.Registry = r } }

// NewRoundTripper returns the RoundTripper of client/http, which finds services by name
// and can be closed by way of io.Closer.
func NewRoundTripper(opts ...Option) http.RoundTripper {
	o := Options{Registry: registry.DefaultRegistry}
	for _, opt := range opts {
		opt(&o)
	}
	return chttp.NewRoundTripper(client.Registry(o.Registry))
}
