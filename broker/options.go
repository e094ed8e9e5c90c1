package broker

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/registry"
)

// Options are the settings that every broker understands.
type Options struct {
	// Addrs are the addresses of the broker's servers, or to listen on. Empty
	// means the broker's default.
	Addrs []string
	// Secure demands TLS.
	Secure bool
	// Codec encodes messages where the broker has no place for headers. Nil means
	// the broker's default.
	Codec codec.Marshaler
	// ErrorHandler is called with what cannot be handed to a Handler, such as a
	// message that cannot be decoded. May be nil.
	ErrorHandler Handler
	// TLSConfig is used for TLS. Nil means the broker's default.
	TLSConfig *tls.Config
	// Registry is where brokers find each other that have no server of their own.
	// Nil means registry.DefaultRegistry.
	Registry registry.Registry
	// StopGrace is how long Disconnect waits for the handlers of what was taken. Zero
	// means the default, 10 seconds.
	StopGrace time.Duration
	// Context carries the settings of one broker, set by that broker's own
	// options. May be nil.
	Context context.Context
}

// PublishOptions are the settings of one publication.
type PublishOptions struct {
	// Confirmed makes Publish wait until the message is taken, and say so if it is
	// not; see the option.
	Confirmed bool
	// Context bounds the publication and carries the settings of one broker. May
	// be nil.
	Context context.Context
}

// SubscribeOptions are the settings of one subscription.
type SubscribeOptions struct {
	// AutoAck acknowledges each message for which the Handler returns nil. It is
	// true unless DisableAutoAck is given.
	AutoAck bool
	// Queue names the queue that this subscription shares with others: each
	// message goes to one of them. Empty means that this one gets every message.
	Queue string
	// Concurrency is how many handlers of the subscription run at once. One keeps the
	// order of messages, where the broker has one. Zero means the broker's default.
	Concurrency int
	// Context carries the settings of one broker. May be nil.
	Context context.Context
}

// Option sets a field of Options.
type Option func(*Options)

// PublishOption sets a field of PublishOptions.
type PublishOption func(*PublishOptions)

// SubscribeOption sets a field of SubscribeOptions.
type SubscribeOption func(*SubscribeOptions)

// NewSubscribeOptions returns the settings that result from the options.
func NewSubscribeOptions(opts ...SubscribeOption) SubscribeOptions {
	o := SubscribeOptions{AutoAck: true}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Addrs replaces the addresses.
func Addrs(addrs ...string) Option {
	return func(o *Options) { o.Addrs = addrs }
}

// Codec sets how messages are encoded where there is no place for headers.
func Codec(c codec.Marshaler) Option {
	return func(o *Options) { o.Codec = c }
}

// ErrorHandler sets what is called with messages that no Handler can be given.
func ErrorHandler(h Handler) Option {
	return func(o *Options) { o.ErrorHandler = h }
}

// Registry sets where brokers find each other.
func Registry(r registry.Registry) Option {
	return func(o *Options) { o.Registry = r }
}

// Secure demands TLS.
func Secure(b bool) Option {
	return func(o *Options) { o.Secure = b }
}

// TLSConfig sets what is used for TLS.
func TLSConfig(t *tls.Config) Option {
	return func(o *Options) { o.TLSConfig = t }
}

// StopGrace sets how long Disconnect waits for the handlers of what was taken.
func StopGrace(d time.Duration) Option {
	return func(o *Options) { o.StopGrace = d }
}

// PublishContext bounds the publication by ctx.
func PublishContext(ctx context.Context) PublishOption {
	return func(o *PublishOptions) { o.Context = ctx }
}

// Confirmed makes Publish return only when the message has been taken by each
// subscription to the topic, by one of each queue, or by the server that keeps it for
// them; and return an error otherwise, one that wraps ErrNoSubscribers if there are
// none, where the broker can know. A message that was taken is not handled yet.
// docs/EVENTS.md says what each broker confirms.
func Confirmed() PublishOption {
	return func(o *PublishOptions) { o.Confirmed = true }
}

// DisableAutoAck leaves it to the Handler to acknowledge.
func DisableAutoAck() SubscribeOption {
	return func(o *SubscribeOptions) { o.AutoAck = false }
}

// Queue sets the queue that the subscription shares with others.
func Queue(name string) SubscribeOption {
	return func(o *SubscribeOptions) { o.Queue = name }
}

// Concurrency sets how many handlers of the subscription run at once: one to have
// messages one after another.
func Concurrency(n int) SubscribeOption {
	return func(o *SubscribeOptions) { o.Concurrency = n }
}

// SubscribeContext sets the context of the subscription.
func SubscribeContext(ctx context.Context) SubscribeOption {
	return func(o *SubscribeOptions) { o.Context = ctx }
}
