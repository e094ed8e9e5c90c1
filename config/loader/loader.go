// Package loader is the contract of what keeps the sources of one configuration
// together.
package loader

import (
	"context"

	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/source"
)

// Loader reads sources, merges them, and follows them. It may be used by several
// goroutines at once.
type Loader interface {
	// Close ends everything that the Loader started.
	Close() error
	// Load adds sources, the later over the earlier.
	Load(...source.Source) error
	// Snapshot returns what is loaded now.
	Snapshot() (*Snapshot, error)
	// Sync reads all sources again.
	Sync() error
	// Watch tells what becomes of the value at a path, without a path of the whole.
	Watch(...string) (Watcher, error)
	// String names the implementation.
	String() string
}

// Watcher tells what becomes of the value at one path.
type Watcher interface {
	// Next blocks until the value is another one than it last told, at first than that
	// of the moment of Watch, and returns the newest. A slow caller misses those in
	// between.
	Next() (*Snapshot, error)
	// Stop ends the Watcher; Next returns an error. It may be called more than once.
	Stop() error
}

// Snapshot is a merged configuration, or one value of it.
type Snapshot struct {
	// ChangeSet must not be modified.
	ChangeSet *source.ChangeSet
	// Version grows from one snapshot to the next, compared as text.
	Version string
}

// Options are the settings of a Loader.
type Options struct {
	Reader reader.Reader
	Source []source.Source

	// Context carries the settings of one implementation.
	Context context.Context
}

// Option changes Options.
type Option func(o *Options)

// Copy returns a copy of s. The bytes in it are shared.
func Copy(s *Snapshot) *Snapshot {
	set := *s.ChangeSet
	return &Snapshot{ChangeSet: &set, Version: s.Version}
}
