package memory

import (
	"time"

	"github.com/rollcall-go/micro/config/loader"
	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/settings"
)

// WithSource adds a source.
func WithSource(s source.Source) loader.Option {
	return func(o *loader.Options) { o.Source = append(o.Source, s) }
}

// WithReader sets the Reader, by default that of config/reader/json.
func WithReader(r reader.Reader) loader.Option {
	return func(o *loader.Options) { o.Reader = r }
}

// timeout is a setting of this Loader.
type timeout time.Duration

// WithTimeout sets how long Load and Sync wait for the slowest source, by default
// 5 seconds.
func WithTimeout(d time.Duration) loader.Option {
	return func(o *loader.Options) { o.Context = settings.With(o.Context, timeout(d)) }
}
