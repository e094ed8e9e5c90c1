// Package config reads configuration from sources, merges it, and follows it.
//
// What is loaded later wins. Objects merge, field by field; everything else, zero
// values and lists included, replaces what was there, of whatever kind that is; null
// replaces nothing. In strings ${NAME} stands for an environment variable.
//
// A configuration never gets worse by itself: a source that cannot be reached or
// holds what cannot be read keeps what it held before.
package config

import (
	"context"

	"github.com/rollcall-go/micro/config/loader"
	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/config/source/file"
)

// Config is a configuration. Its methods may be called by several goroutines at once.
//
// Set and Del change what is in memory, until the next change of a source.
type Config interface {
	reader.Values
	// Init applies options, and loads the sources among them.
	Init(opts ...Option) error
	// Options returns the options in force.
	Options() Options
	// Close ends what follows the sources, and the watchers. The values stay as they
	// are.
	Close() error
	// Load adds sources. It returns within 5 seconds, unless the Loader was told
	// otherwise. The error names the sources that could not be read: they are kept and
	// tried further.
	Load(source ...source.Source) error
	// Sync reads all sources again.
	Sync() error
	// Watch tells what becomes of the value at path, without a path of the whole. Stop
	// the Watcher when it is no longer needed.
	Watch(path ...string) (Watcher, error)
}

// Watcher tells what becomes of the value at one path.
type Watcher interface {
	// Next blocks until the value is another one than was last told, at first than
	// that of the moment of Watch, and returns the newest. A slow caller misses those
	// in between. A value that is gone has the bytes null. The error says that the
	// Watcher was stopped or the Config closed.
	Next() (reader.Value, error)
	// Stop ends the Watcher; Next returns. It may be called more than once.
	Stop() error
}

// Options are the settings of a Config.
type Options struct {
	// Loader keeps the sources together. If the Config did not make it itself it is
	// not closed with the Config.
	Loader loader.Loader
	// Reader merges the sources.
	Reader reader.Reader
	// Source are loaded by NewConfig or Init.
	Source []source.Source

	// Context carries the settings of other packages.
	Context context.Context
}

// Option changes Options.
type Option func(o *Options)

// DefaultConfig is what the functions of this package use.
var DefaultConfig Config = newConfig()

// NewConfig returns a Config with the sources among opts loaded. Beside an error it
// returns nil. Without sources it starts nothing.
func NewConfig(opts ...Option) (Config, error) {
	c := newConfig()
	if err := c.Init(opts...); err != nil {
		_ = c.Close() // the reason is err
		return nil, err
	}
	return c, nil
}

// Bytes returns DefaultConfig as JSON.
func Bytes() []byte { return DefaultConfig.Bytes() }

// Map returns a copy of DefaultConfig.
func Map() map[string]any { return DefaultConfig.Map() }

// Scan decodes DefaultConfig into v, a pointer.
func Scan(v any) error { return DefaultConfig.Scan(v) }

// Sync reads the sources of DefaultConfig again.
func Sync() error { return DefaultConfig.Sync() }

// Get returns the value at path of DefaultConfig.
func Get(path ...string) reader.Value { return DefaultConfig.Get(path...) }

// Load adds sources to DefaultConfig.
func Load(source ...source.Source) error { return DefaultConfig.Load(source...) }

// Watch watches the value at path of DefaultConfig.
func Watch(path ...string) (Watcher, error) { return DefaultConfig.Watch(path...) }

// LoadFile adds the file at path to DefaultConfig. The ending of its name is its
// format.
func LoadFile(path string) error { return Load(file.NewSource(file.WithPath(path))) }
