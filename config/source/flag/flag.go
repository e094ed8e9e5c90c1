// Package flag is the source of the flags of the standard library: -database-host is
// the value at database, host.
package flag

import (
	"errors"
	"flag"
	"strings"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/internal/tree"
)

// includeUnset is the option of this source.
type includeUnset bool

type flags struct{ opts source.Options }

// NewSource returns the source of flag.CommandLine, which has to be parsed before
// Read. It never tells of a change.
func NewSource(opts ...source.Option) source.Source {
	return &flags{source.NewOptions(opts...)}
}

// IncludeUnset says whether flags that nobody set count with their defaults.
func IncludeUnset(b bool) source.Option {
	return func(o *source.Options) { o.Context = settings.With(o.Context, includeUnset(b)) }
}

func (f *flags) String() string { return "flag" }

func (f *flags) Read() (*source.ChangeSet, error) {
	if !flag.Parsed() {
		return nil, errors.New("flags not parsed")
	}
	changes := make(map[string]any)
	// Flags come sorted by name, what lies deeper after what it lies below.
	visit := func(one *flag.Flag) {
		path := strings.FieldsFunc(strings.ToLower(one.Name), func(r rune) bool { return r == '-' || r == '_' })
		var value any = one.Value.String()
		if getter, ok := one.Value.(flag.Getter); ok {
			value = getter.Get()
		}
		if len(path) > 0 {
			tree.Put(changes, value, path...)
		}
	}
	if all, _ := settings.Of[includeUnset](f.opts.Context); all {
		flag.VisitAll(visit)
	} else {
		flag.Visit(visit)
	}
	data, err := f.opts.Encoder.Encode(changes)
	if err != nil {
		return nil, err
	}
	set := &source.ChangeSet{Format: f.opts.Encoder.String(), Data: data, Timestamp: time.Now(), Source: f.String()}
	set.Checksum = set.Sum()
	return set, nil
}

func (f *flags) Watch() (source.Watcher, error) { return source.NewNoopWatcher() }

func (f *flags) Write(*source.ChangeSet) error { return source.ErrReadOnly }
