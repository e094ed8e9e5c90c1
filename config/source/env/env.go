// Package env is the source of environment variables: DATABASE_HOST is the value at
// database, host. A whole number becomes a number, what strconv.ParseBool takes a
// boolean, anything else a string.
package env

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/internal/tree"
)

// DefaultPrefixes are taken beside the prefixes that options name.
var DefaultPrefixes = []string{}

// prefixes are the options of this source.
type prefixes struct {
	kept, stripped []string
}

type env struct {
	opts source.Options
	prefixes
}

// NewSource returns the source. It reads the environment at each Read; it never tells
// of a change. Where one variable names a value and another one a value below it, as
// DEBUG and DEBUG_LEVEL do, the deeper one counts; of names that differ in their case
// alone, as DEBUG and debug, the last one by its bytes.
func NewSource(opts ...source.Option) source.Source {
	options := source.NewOptions(opts...)
	p, _ := settings.Of[prefixes](options.Context)
	if len(p.kept)+len(p.stripped) > 0 {
		p.kept = slices.Concat(p.kept, DefaultPrefixes)
	}
	return &env{options, p}
}

// WithPrefix takes only variables that begin with one of p, to each of which "_" is
// added if it does not end so.
func WithPrefix(p ...string) source.Option {
	return change(func(of *prefixes) { of.kept = ended(p) })
}

// WithStrippedPrefix does as WithPrefix, and the prefix is no part of the path.
func WithStrippedPrefix(p ...string) source.Option {
	return change(func(of *prefixes) { of.stripped = ended(p) })
}

func change(f func(*prefixes)) source.Option {
	return func(o *source.Options) {
		p, _ := settings.Of[prefixes](o.Context)
		f(&p)
		o.Context = settings.With(o.Context, p)
	}
}

func ended(all []string) []string {
	var out []string
	for _, p := range all {
		out = append(out, strings.TrimSuffix(p, "_")+"_")
	}
	return out
}

func (e *env) String() string { return "env" }

func (e *env) Read() (*source.ChangeSet, error) {
	type variable struct {
		path []string
		text string
	}
	var all []variable
	for _, one := range slices.Sorted(slices.Values(os.Environ())) {
		name, text, _ := strings.Cut(one, "=")
		if name, ok := e.path(name); ok {
			all = append(all, variable{strings.Split(strings.ToLower(name), "_"), text})
		}
	}
	// What lies deeper comes after what it lies below, and else they stay in their order.
	slices.SortStableFunc(all, func(a, b variable) int { return cmp.Compare(len(a.path), len(b.path)) })
	changes := make(map[string]any)
	for _, one := range all {
		tree.Put(changes, value(one.text), one.path...)
	}
	data, err := e.opts.Encoder.Encode(changes)
	if err != nil {
		return nil, err
	}
	set := &source.ChangeSet{Format: e.opts.Encoder.String(), Data: data, Timestamp: time.Now(), Source: e.String()}
	set.Checksum = set.Sum()
	return set, nil
}

// path returns the name of a variable without a stripped prefix, and whether it is
// wanted.
func (e *env) path(name string) (string, bool) {
	if name == "" {
		return "", false
	}
	for _, p := range e.stripped {
		if rest, ok := strings.CutPrefix(name, p); ok {
			return rest, true
		}
	}
	return name, len(e.kept)+len(e.stripped) == 0 ||
		slices.ContainsFunc(e.kept, func(p string) bool { return strings.HasPrefix(name, p) })
}

func value(text string) any {
	if i, err := strconv.Atoi(text); err == nil {
		return i
	}
	if b, err := strconv.ParseBool(text); err == nil {
		return b
	}
	return text
}

func (e *env) Watch() (source.Watcher, error) { return source.NewNoopWatcher() }

func (e *env) Write(*source.ChangeSet) error { return source.ErrReadOnly }
