package trace

// DefaultSize is the Size of DefaultOptions.
const DefaultSize = 64

// Options are the settings of a tracer.
type Options struct {
	// Size is how many spans are kept.
	Size int
}

// Option sets a field of Options.
type Option func(o *Options)

// ReadOptions say which spans are meant.
type ReadOptions struct {
	// Trace is the id of the trace. Empty means any.
	Trace string
}

// ReadOption sets a field of ReadOptions.
type ReadOption func(o *ReadOptions)

// ReadTrace leaves out the spans of other traces.
func ReadTrace(t string) ReadOption {
	return func(o *ReadOptions) { o.Trace = t }
}

// DefaultOptions returns settings with DefaultSize.
func DefaultOptions() Options { return Options{Size: DefaultSize} }
