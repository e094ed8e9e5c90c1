package client

import (
	"context"
	"slices"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/transport"
)

// Options are the settings of a client.
type Options struct {
	// ContentType chooses the encoding of requests and messages that name none.
	ContentType string

	// Broker carries what is published.
	Broker broker.Broker
	// Codecs are encodings by content type, beside those of the implementation.
	Codecs map[string]codec.NewCodec
	// Registry is where services are looked up.
	Registry registry.Registry
	// Selector chooses among the nodes of a service.
	Selector selector.Selector
	// Transport carries no calls of client/grpc, which go over gRPC; of its options, Secure and
	// TLSConfig apply to them where no option of client/grpc says otherwise. May be nil.
	Transport transport.Transport

	// Router sends requests by rules of its own. May be nil.
	Router Router

	// PoolSize is how many connections there may be to one node.
	PoolSize int
	// PoolTTL is the age at which a connection is replaced, for implementations that
	// do so. client/grpc does not: it replaces connections that break or fall silent.
	PoolTTL time.Duration

	// Cache holds the answers of calls made with WithCache.
	Cache *Cache

	// RetryBudget is how many percent of the calls to a service may be made twice, by a
	// retry or a hedge; an attempt of which nothing was written does not count. Below
	// zero there is no bound.
	RetryBudget int

	// Wrappers surround the client, as given to Wrap.
	Wrappers []Wrapper

	// CallOptions apply to every call; the options of a call are applied to a copy.
	CallOptions CallOptions

	// Context carries the settings of one implementation.
	Context context.Context

	registryGiven bool
	selecting     []selector.Option // given to whatever selector is in force
}

// CallOptions are the settings of one call.
type CallOptions struct {
	// SelectOptions go to the selector.
	SelectOptions []selector.SelectOption

	// Address names the hosts to call, host:port, in place of a lookup.
	Address []string
	// Backoff is the wait before each attempt. Nil means DefaultBackoff.
	Backoff BackoffFunc
	// Retry decides whether a failed call is tried again. Nil means DefaultRetry,
	// which agrees when no handler can have run, or when the call is idempotent.
	Retry RetryFunc
	// DialTimeout bounds one attempt to connect. client/grpc reads it among the
	// options of the client, not of a call. Where nobody gave it, it allows 2 s,
	// which leaves a call time to go elsewhere.
	DialTimeout time.Duration
	// Retries is how many times a failed call may be tried again. Zero or less
	// means that each call is tried once.
	Retries int
	// RequestTimeout bounds a call whose context has no deadline, all its attempts
	// together.
	RequestTimeout time.Duration
	// StreamTimeout bounds a stream. Zero means no bound.
	StreamTimeout time.Duration
	// ServiceToken asks for the service's own token in place of the caller's.
	ServiceToken bool
	// CacheExpiry is how long the answer may be served from the cache. Zero means
	// that the call is not cached.
	CacheExpiry time.Duration

	// Idempotent says that the method may run twice, so that a call may be tried again
	// after it was written. The request says it where no option does.
	Idempotent bool
	// Hedge is how long an idempotent call waits for an answer before it is sent to a
	// second node as well. Zero means that it is not; HedgeAtP95 is a time by itself.
	Hedge time.Duration

	// CallWrappers surround each attempt, the first outermost.
	CallWrappers []CallWrapper

	// Context carries the settings of one implementation. May be nil.
	Context context.Context

	given Setting
}

// PublishOptions are the settings of one Publish.
type PublishOptions struct {
	// Exchange is published to in place of the message's topic, where not empty.
	Exchange string
	// Context carries the settings of one implementation. May be nil.
	Context context.Context
}

// MessageOptions are the settings of one message.
type MessageOptions struct {
	// ContentType chooses the encoding. Empty means that of the client.
	ContentType string
}

// RequestOptions are the settings of one request.
type RequestOptions struct {
	// ContentType chooses the encoding. Empty means that of the client.
	ContentType string
	// Stream says that the request opens a stream.
	Stream bool
	// Idempotent says that the method may run twice.
	Idempotent bool

	// Context carries the settings of one implementation. May be nil.
	Context context.Context
}

// NewOptions returns the defaults with the options applied. It is for
// implementations of Client.
func NewOptions(options ...Option) Options {
	opts := Options{
		Cache:       NewCache(),
		Context:     context.Background(), // carries values only
		ContentType: DefaultContentType,
		Codecs:      make(map[string]codec.NewCodec),
		CallOptions: CallOptions{
			Backoff:        DefaultBackoff,
			Retry:          DefaultRetry,
			Retries:        DefaultRetries,
			RequestTimeout: DefaultRequestTimeout,
			DialTimeout:    transport.DefaultDialTimeout,
		},
		PoolSize:    DefaultPoolSize,
		PoolTTL:     DefaultPoolTTL,
		RetryBudget: DefaultRetryBudget,
		Broker:      broker.DefaultBroker,
		Selector:    selector.DefaultSelector,
		Registry:    registry.DefaultRegistry,
		Transport:   transport.DefaultTransport,
	}
	for _, o := range options {
		o(&opts)
	}
	return opts
}

// Broker sets what carries published messages.
func Broker(b broker.Broker) Option {
	return func(o *Options) { o.Broker = b }
}

// Codec adds an encoding for a content type.
func Codec(contentType string, c codec.NewCodec) Option {
	return func(o *Options) {
		if o.Codecs == nil {
			o.Codecs = make(map[string]codec.NewCodec)
		}
		o.Codecs[contentType] = c
	}
}

// ContentType sets the encoding of requests and messages that name none.
func ContentType(ct string) Option {
	return func(o *Options) { o.ContentType = ct }
}

// PoolSize sets how many connections there may be to one node. There is one as long
// as its server allows all calls on it at once. Zero or less means 4.
func PoolSize(d int) Option {
	return func(o *Options) { o.PoolSize = d }
}

// PoolTTL sets the age at which such a connection is replaced.
func PoolTTL(d time.Duration) Option {
	return func(o *Options) { o.PoolTTL = d }
}

// Registry sets where services are looked up, also for the selector in force:
// it is initialised with r. The one selector that is not touched is
// selector.DefaultSelector, which other clients share; as long as it is the
// selector of its package, it is replaced here by one of the same settings.
func Registry(r registry.Registry) Option {
	return func(o *Options) {
		o.Registry, o.registryGiven = r, true
		o.Selector = withRegistry(o.Selector, r)
	}
}

// Transport sets the transport of implementations that use one. client/grpc takes Secure and
// TLSConfig from it, as they are at this moment.
func Transport(t transport.Transport) Option {
	return func(o *Options) { o.Transport = t }
}

// Selector sets what chooses among the nodes of a service. It is initialised with
// the registry that the option Registry gives, whichever of the two comes first.
func Selector(s selector.Selector) Option {
	return func(o *Options) {
		o.Selector = s
		if o.registryGiven {
			o.Selector = withRegistry(s, o.Registry)
		}
		if len(o.selecting) > 0 {
			o.Selector = withOptions(o.Selector, o.selecting...)
		}
	}
}

// SelectorOptions gives options to the selector in force, and to one that an option
// puts in its place later, such as selector.SetStrategy(selector.LeastLoaded) or
// selector.Zone("a"). As with Registry, selector.DefaultSelector is not touched.
func SelectorOptions(opts ...selector.Option) Option {
	return func(o *Options) {
		o.selecting = slices.Concat(o.selecting, opts)
		o.Selector = withOptions(o.Selector, opts...)
	}
}

// Wrap adds a wrapper to those that surround the client.
func Wrap(w Wrapper) Option {
	return func(o *Options) { o.Wrappers = append(o.Wrappers, w) }
}

// WrapCall adds wrappers to those that surround each attempt.
func WrapCall(cw ...CallWrapper) Option {
	return func(o *Options) { o.CallOptions.CallWrappers = append(o.CallOptions.CallWrappers, cw...) }
}

// Backoff sets the wait before each attempt.
func Backoff(fn BackoffFunc) Option {
	return func(o *Options) { o.CallOptions.Backoff = fn }
}

// Retries sets how many times a failed call may be tried again.
func Retries(i int) Option {
	return func(o *Options) { o.CallOptions.Retries = i }
}

// Retry sets what decides whether a failed call is tried again.
func Retry(fn RetryFunc) Option {
	return func(o *Options) { o.CallOptions.Retry = fn }
}

// RetryBudget sets how many percent of the calls to a service may be made twice. Ten
// are allowed beyond that at the start, and one a second always. Zero allows none that
// may have run; below zero there is no bound.
func RetryBudget(percent int) Option {
	return func(o *Options) { o.RetryBudget = percent }
}

// Hedge sets how long an idempotent call waits before it is sent to a second node as
// well.
func Hedge(after time.Duration) Option {
	return func(o *Options) { o.CallOptions.Hedge = after }
}

// RequestTimeout sets the bound of a call whose context has no deadline.
func RequestTimeout(d time.Duration) Option {
	return func(o *Options) { WithRequestTimeout(d)(&o.CallOptions) }
}

// StreamTimeout sets the bound of a stream.
func StreamTimeout(d time.Duration) Option {
	return func(o *Options) { o.CallOptions.StreamTimeout = d }
}

// DialTimeout sets the bound of making a connection.
func DialTimeout(d time.Duration) Option {
	return func(o *Options) { WithDialTimeout(d)(&o.CallOptions) }
}

// WithRouter sets what sends requests by rules of its own.
func WithRouter(r Router) Option {
	return func(o *Options) { o.Router = r }
}
