package registry

import (
	"context"
	"crypto/tls"
	"time"
)

// Options are the settings that every backend understands.
type Options struct {
	// Addrs are the addresses of the registry's servers. Empty means the
	// backend's default.
	Addrs []string
	// Timeout bounds each single operation. Zero means the backend's default.
	Timeout time.Duration
	// Secure demands TLS, verified against the system's roots unless TLSConfig
	// says otherwise.
	Secure bool
	// TLSConfig switches TLS on with these settings.
	TLSConfig *tls.Config
	// Snapshot is a directory in which whoever follows services in this registry, a
	// client or a cache, keeps what it last knew of them. Should the registry not
	// answer at the next start, calls go by that. Empty means that nothing is kept.
	Snapshot string
	// Context carries the settings of one backend, set by that backend's own
	// options. May be nil.
	Context context.Context
}

// RegisterOptions are the settings of one registration.
type RegisterOptions struct {
	// TTL is how long the registration outlives its last renewal. Zero means the
	// backend's default.
	TTL     time.Duration
	Context context.Context
}

// WatchOptions are the settings of one watch.
type WatchOptions struct {
	// Service limits the watch to one service. Empty means all.
	Service string
	Context context.Context
}

// DeregisterOptions are the settings of one deregistration.
type DeregisterOptions struct {
	Context context.Context
}

// GetOptions are the settings of one lookup.
type GetOptions struct {
	Context context.Context
}

// ListOptions are the settings of one listing.
type ListOptions struct {
	Context context.Context
}

// Option sets a field of Options.
type Option func(*Options)

// RegisterOption sets a field of RegisterOptions.
type RegisterOption func(*RegisterOptions)

// WatchOption sets a field of WatchOptions.
type WatchOption func(*WatchOptions)

// DeregisterOption sets a field of DeregisterOptions.
type DeregisterOption func(*DeregisterOptions)

// GetOption sets a field of GetOptions.
type GetOption func(*GetOptions)

// ListOption sets a field of ListOptions.
type ListOption func(*ListOptions)

// Addrs replaces the addresses of the registry's servers.
func Addrs(addrs ...string) Option {
	return func(o *Options) { o.Addrs = addrs }
}

// Timeout sets the bound of each single operation.
func Timeout(t time.Duration) Option {
	return func(o *Options) { o.Timeout = t }
}

// Secure demands TLS.
func Secure(b bool) Option {
	return func(o *Options) { o.Secure = b }
}

// TLSConfig switches TLS on with the given settings.
func TLSConfig(t *tls.Config) Option {
	return func(o *Options) { o.TLSConfig = t }
}

// Snapshot sets the directory in which what is known is kept, for a start while
// the registry is away.
func Snapshot(dir string) Option {
	return func(o *Options) { o.Snapshot = dir }
}

// RegisterTTL sets how long the registration outlives its last renewal.
func RegisterTTL(t time.Duration) RegisterOption {
	return func(o *RegisterOptions) { o.TTL = t }
}

// RegisterContext bounds the registration by ctx.
func RegisterContext(ctx context.Context) RegisterOption {
	return func(o *RegisterOptions) { o.Context = ctx }
}

// WatchService limits the watch to one service.
func WatchService(name string) WatchOption {
	return func(o *WatchOptions) { o.Service = name }
}

// WatchContext ends the watch when ctx is done.
func WatchContext(ctx context.Context) WatchOption {
	return func(o *WatchOptions) { o.Context = ctx }
}

// DeregisterContext bounds the deregistration by ctx.
func DeregisterContext(ctx context.Context) DeregisterOption {
	return func(o *DeregisterOptions) { o.Context = ctx }
}

// GetContext bounds the lookup by ctx.
func GetContext(ctx context.Context) GetOption {
	return func(o *GetOptions) { o.Context = ctx }
}

// ListContext bounds the listing by ctx.
func ListContext(ctx context.Context) ListOption {
	return func(o *ListOptions) { o.Context = ctx }
}
