package reader

import (
	"github.com/rollcall-go/micro/config/encoder"
	"github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/encoder/toml"
	"github.com/rollcall-go/micro/config/encoder/xml"
	"github.com/rollcall-go/micro/config/encoder/yaml"
)

// Options are the settings of a Reader.
type Options struct {
	// Encoding has the encoder of each format by its name.
	Encoding map[string]encoder.Encoder
	// Open, if not nil, returns what a document becomes before anybody reads its values,
	// after variables were replaced in it. It may change the document.
	Open func(document any) any
}

// Option changes Options.
type Option func(o *Options)

// NewOptions returns the formats json, yaml and yml, toml and xml, and what opts add.
// For hcl, give WithEncoder the encoder in config/encoder/hcl.
func NewOptions(opts ...Option) Options {
	options := Options{Encoding: map[string]encoder.Encoder{
		"json": json.NewEncoder(),
		"yaml": yaml.NewEncoder(),
		"yml":  yaml.NewEncoder(),
		"toml": toml.NewEncoder(),
		"xml":  xml.NewEncoder(),
	}}
	for _, o := range opts {
		o(&options)
	}
	return options
}

// WithEncoder adds a format, or replaces one of the same name.
func WithEncoder(e encoder.Encoder) Option {
	return func(o *Options) {
		if o.Encoding == nil {
			o.Encoding = make(map[string]encoder.Encoder)
		}
		o.Encoding[e.String()] = e
	}
}

// WithOpen sets Open.
func WithOpen(open func(document any) any) Option { return func(o *Options) { o.Open = open } }
