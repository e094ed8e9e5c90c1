package logger

import (
	"context"
	"io"
)

// Option sets a field of Options.
type Option func(*Options)

// Options are the settings of a logger.
type Options struct {
	// Level is the lowest level that is written.
	Level Level
	// Fields are written with every line. The map is not written to.
	Fields map[string]any
	// Out is where lines go, one Write a line, one at a time. Nil means standard
	// output as it is when the line is written.
	Out io.Writer
	// CallerSkipCount tells which call site stands in a line. With 2, the
	// default, it is the code that called this package, through whichever
	// function, Helper or Logger; each one more goes one caller further up. A
	// wrapper around this package adds 1.
	CallerSkipCount int
	// Context carries the settings of other implementations. May be nil.
	Context context.Context
}

// WithFields sets the fields written with every line.
func WithFields(fields map[string]any) Option {
	return func(o *Options) { o.Fields = fields }
}

// WithLevel sets the lowest level that is written.
func WithLevel(level Level) Option {
	return func(o *Options) { o.Level = level }
}

// WithOutput sets where lines go. The logger calls it from one goroutine at a
// time and does not close it.
func WithOutput(out io.Writer) Option {
	return func(o *Options) { o.Out = out }
}

// WithCallerSkipCount sets which call site stands in a line.
func WithCallerSkipCount(c int) Option {
	return func(o *Options) { o.CallerSkipCount = c }
}

// SetOption stores a setting of another implementation in Context.
func SetOption(k, v any) Option {
	return func(o *Options) {
		if o.Context == nil {
			o.Context = context.Background() // carries values only
		}
		o.Context = context.WithValue(o.Context, k, v)
	}
}
