package source

import (
	"context"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/config/encoder"
	"github.com/rollcall-go/micro/config/encoder/json"
)

// Options are the settings that sources share.
type Options struct {
	// Encoder is the format of what the source holds, JSON unless told otherwise.
	Encoder encoder.Encoder

	// Context carries the settings of one kind of source.
	Context context.Context

	// Client is for sources that call a service.
	Client client.Client
}

// Option changes Options.
type Option func(o *Options)

// NewOptions returns the defaults, changed by opts.
func NewOptions(opts ...Option) Options {
	options := Options{
		Encoder: json.NewEncoder(),
		Context: context.Background(), // carries values alone: nothing waits on it
		Client:  client.DefaultClient,
	}
	for _, o := range opts {
		o(&options)
	}
	return options
}

// WithEncoder sets the format.
func WithEncoder(e encoder.Encoder) Option { return func(o *Options) { o.Encoder = e } }

// WithClient sets the client.
func WithClient(c client.Client) Option { return func(o *Options) { o.Client = c } }
