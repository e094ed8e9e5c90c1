// Package cli is the source of the flags of a program's command line, as
// github.com/urfave/cli/v2 reads them: --database_host is the value at database, host.
package cli

import (
	"flag"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/cmd"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/internal/tree"
)

type flags struct {
	opts source.Options
	ctx  *cli.Context // nil: the command line is read at each Read
}

// NewSource returns the source of the flags of the program in the Context of the
// options; without one, of the flags of config/cmd's App, read from os.Args. Flags that
// nobody set count with their defaults. It never tells of a change.
func NewSource(opts ...source.Option) source.Source {
	options := source.NewOptions(opts...)
	ctx, _ := settings.Of[*cli.Context](options.Context)
	return &flags{options, ctx}
}

// Context sets the context of the command line.
func Context(c *cli.Context) source.Option {
	return func(o *source.Options) { o.Context = settings.With(o.Context, c) }
}

// WithContext returns the source of the flags in ctx.
func WithContext(ctx *cli.Context, opts ...source.Option) source.Source {
	return &flags{source.NewOptions(opts...), ctx}
}

func (f *flags) String() string { return "cli" }

func (f *flags) Read() (*source.ChangeSet, error) {
	ctx := f.ctx
	if ctx == nil {
		ctx = commandLine()
	}
	changes := make(map[string]any)
	for _, one := range ctx.App.Flags {
		name := one.Names()[0]
		path := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' })
		if len(path) > 0 && deeper(changes, path) {
			tree.Put(changes, plain(ctx.Value(name)), path...)
		}
	}
	data, err := f.opts.Encoder.Encode(changes)
	if err != nil {
		return nil, err
	}
	set := &source.ChangeSet{Format: f.opts.Encoder.String(), Data: data, Timestamp: time.Now(), Source: f.String()}
	set.Checksum = set.Sum()
	return set, nil
}

// deeper reports whether a value may be put at path: not where another flag has values
// below it, which count.
func deeper(root map[string]any, path []string) bool {
	for _, key := range path {
		below, ok := root[key].(map[string]any)
		if !ok {
			return true
		}
		root = below
	}
	return false
}

// commandLine reads os.Args by the flags of App, as far as it can.
func commandLine() *cli.Context {
	app := cmd.App()
	set := flag.NewFlagSet(app.Name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, one := range app.Flags {
		_ = one.Apply(set) // a flag that cannot be applied is one that nobody can give
	}
	_ = set.Parse(os.Args[1:]) // who starts the program is told by App itself
	return cli.NewContext(app, set, nil)
}

// plain returns the list in a flag that may be given several times, anything else as
// it is.
func plain(v any) any {
	switch v := v.(type) {
	case cli.StringSlice:
		return v.Value()
	case cli.IntSlice:
		return v.Value()
	}
	return v
}

func (f *flags) Watch() (source.Watcher, error) { return source.NewNoopWatcher() }

func (f *flags) Write(*source.ChangeSet) error { return source.ErrReadOnly }
