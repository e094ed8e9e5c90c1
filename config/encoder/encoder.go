// Package encoder is the contract of the formats in which configuration is written.
package encoder

// Encoder writes and reads one format. It may be used by several goroutines at once.
type Encoder interface {
	// Encode returns v in the format.
	Encode(v any) ([]byte, error)
	// Decode reads data into v, a pointer. Where v takes any value, objects become
	// map[string]any, lists []any, and numbers json.Number or a Go number. The error says
	// where in data it cannot be read, and nothing of what data holds: it is logged.
	Decode(data []byte, v any) error
	// String returns the format's name, which is also the ending of its files.
	String() string
}
