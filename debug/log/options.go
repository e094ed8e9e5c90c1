package log

import "time"

// Options are the settings of a log.
type Options struct {
	// Name is the service whose log is meant, where a log is read from elsewhere.
	Name string
	// Size is how many records are kept.
	Size int
	// Format writes a record as text.
	Format FormatFunc
}

// Option sets a field of Options.
type Option func(*Options)

// Name sets the service whose log is meant.
func Name(n string) Option {
	return func(o *Options) { o.Name = n }
}

// Size sets how many records are kept.
func Size(s int) Option {
	return func(o *Options) { o.Size = s }
}

// Format sets how a record is written as text.
func Format(f FormatFunc) Option {
	return func(o *Options) { o.Format = f }
}

// DefaultOptions returns the settings of a log that is given none.
func DefaultOptions() Options { return Options{Size: DefaultSize} }

// ReadOptions say which records are meant.
type ReadOptions struct {
	// Since leaves out records until then. The zero time means none.
	Since time.Time
	// Count bounds the number of records. Zero means no bound. With Since the first are
	// meant from then on, without it the newest.
	Count int
	// Stream is for logs that are read from elsewhere.
	Stream bool
}

// ReadOption sets a field of ReadOptions.
type ReadOption func(*ReadOptions)

// Since leaves out records that were written until then.
func Since(s time.Time) ReadOption {
	return func(o *ReadOptions) { o.Since = s }
}

// Count bounds the number of records.
func Count(c int) ReadOption {
	return func(o *ReadOptions) { o.Count = c }
}
