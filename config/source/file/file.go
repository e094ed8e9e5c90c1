// Package file is the source of one file.
//
// It watches the directory, not the file, so that it sees a file that is replaced: as
// editors do by renaming, and Kubernetes by pointing a symbolic link elsewhere. Other
// files there mean nothing to it.
package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/rollcall-go/micro/config/encoder"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/settings"
)

// DefaultPath is the file of a source that was told none.
var DefaultPath = "config.json"

// path is the option of this source.
type path string

type file struct {
	path   string
	opts   source.Options
	filled atomic.Bool // it held something once
}

// errEmpty is returned of a file that held something and is empty now.
var errEmpty = errors.New("the file is empty, as one that is being written")

// NewSource returns the source of the file at WithPath. The ending of its name is its
// format; without one that is the encoder's.
func NewSource(opts ...source.Option) source.Source {
	options := source.NewOptions(opts...)
	f := &file{path: DefaultPath, opts: options}
	if p, ok := settings.Of[path](options.Context); ok {
		f.path = string(p)
	}
	return f
}

// WithPath sets the file.
func WithPath(p string) source.Option {
	return func(o *source.Options) { o.Context = settings.With(o.Context, path(p)) }
}

func (f *file) String() string { return "file" }

// Read returns what the file holds, and the time of its last change. A file that is empty
// after it held something is an error: somebody is writing it.
func (f *file) Read() (*source.ChangeSet, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(data) > 0 {
		f.filled.Store(true)
	} else if f.filled.Load() {
		return nil, fmt.Errorf("read configuration: %q: %w", f.path, errEmpty)
	}
	set := &source.ChangeSet{Data: data, Format: format(f.path, f.opts.Encoder), Source: f.String(), Timestamp: info.ModTime()}
	set.Checksum = set.Sum()
	return set, nil
}

func (f *file) Write(*source.ChangeSet) error { return source.ErrReadOnly }

func format(path string, e encoder.Encoder) string {
	if ending := strings.TrimPrefix(filepath.Ext(path), "."); ending != "" {
		return strings.ToLower(ending)
	}
	return e.String()
}
