package config

import (
	"github.com/rollcall-go/micro/config/loader"
	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/source"
)

// WithLoader sets the Loader, by default that of config/loader/memory.
func WithLoader(l loader.Loader) Option { return func(o *Options) { o.Loader = l } }

// WithSource adds a source.
func WithSource(s source.Source) Option {
	return func(o *Options) { o.Source = append(o.Source, s) }
}

// WithReader sets the Reader, by default that of config/reader/json.
func WithReader(r reader.Reader) Option { return func(o *Options) { o.Reader = r } }
