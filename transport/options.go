package transport

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/rollcall-go/micro/codec"
)

// Options are the settings that every transport understands.
type Options struct {
	// Addrs are addresses that connections go through.
	Addrs []string
	// Codec encodes messages where the transport has no place for headers. Nil
	// means the transport's default.
	Codec codec.Marshaler
	// Secure demands TLS.
	Secure bool
	// TLSConfig is used for TLS. Nil means the transport's default.
	TLSConfig *tls.Config
	// Timeout bounds each Send and Recv. Zero means no bound.
	Timeout time.Duration
	// Context carries the settings of one transport, set by that transport's own
	// options. May be nil.
	Context context.Context
}

// DialOptions are the settings of one Dial.
type DialOptions struct {
	// Stream says that the connection carries any number of messages either way.
	Stream bool
	// Timeout bounds Dial. Zero means DefaultDialTimeout.
	Timeout time.Duration
	// Context carries the settings of one transport. May be nil.
	Context context.Context
}

// ListenOptions are the settings of one Listen.
type ListenOptions struct {
	// Context carries the settings of one transport. May be nil.
	Context context.Context
}

// Option sets a field of Options.
type Option func(*Options)

// DialOption sets a field of DialOptions.
type DialOption func(*DialOptions)

// ListenOption sets a field of ListenOptions.
type ListenOption func(*ListenOptions)

// Addrs replaces the addresses that connections go through.
func Addrs(addrs ...string) Option {
	return func(o *Options) { o.Addrs = addrs }
}

// Codec sets how messages are encoded where there is no place for headers.
func Codec(c codec.Marshaler) Option {
	return func(o *Options) { o.Codec = c }
}

// Timeout sets the bound of each Send and Recv.
func Timeout(t time.Duration) Option {
	return func(o *Options) { o.Timeout = t }
}

// Secure demands TLS.
func Secure(b bool) Option {
	return func(o *Options) { o.Secure = b }
}

// TLSConfig sets what is used for TLS.
func TLSConfig(t *tls.Config) Option {
	return func(o *Options) { o.TLSConfig = t }
}

// WithStream says that the connection carries any number of messages either way.
func WithStream() DialOption {
	return func(o *DialOptions) { o.Stream = true }
}

// WithTimeout sets the bound of Dial.
func WithTimeout(d time.Duration) DialOption {
	return func(o *DialOptions) { o.Timeout = d }
}
