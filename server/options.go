package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"sync"
	"time"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/transport"
)

// Options are the settings of a server.
type Options struct {
	// Codecs are encodings by content type, beside those of the implementation.
	Codecs map[string]codec.NewCodec
	// Broker carries the messages of subscribers.
	Broker broker.Broker
	// Registry is where the server registers.
	Registry registry.Registry
	// Transport carries no calls of server/grpc, which go over gRPC; of its options, Secure and
	// TLSConfig apply to them where no option of server/grpc says otherwise. May be nil.
	Transport transport.Transport
	// Auth judges the calls, where a service has been made of the server: a server by
	// itself asks nobody.
	Auth auth.Auth
	// Metadata is added to the node in the registry.
	Metadata map[string]string
	// Name is the name of the service.
	Name string
	// Address is where to listen, host:port. Port 0 means a free one.
	Address string
	// Advertise is the address to register, in place of the one listened on.
	Advertise string
	// AdvertiseInterface is the network interface whose address to register, where
	// neither Advertise nor Address says which. Empty means any.
	AdvertiseInterface string
	// AdvertiseCIDR is the network whose address to register, such as 10.0.0.0/8,
	// where neither Advertise nor Address says which. Empty means any.
	AdvertiseCIDR string
	// Id makes the node unique: its id in the registry is Name-Id.
	Id string
	// Version is the version of the service.
	Version string
	// HdlrWrappers surround each request, the first outermost.
	HdlrWrappers []HandlerWrapper
	// SubWrappers surround each message, the first outermost.
	SubWrappers []SubscriberWrapper

	// Functions to run while the server stops: before it deregisters; when it has
	// deregistered and still takes calls; and when the calls in flight have ended or
	// were cut off. Each list runs in the order in which it was filled, and whatever
	// its functions return, the stop goes on.
	BeforeDeregister []func() error
	AfterDeregister  []func() error
	AfterDrain       []func() error

	// RegisterCheck is asked before each registration; while it returns an error
	// the server is not registered.
	RegisterCheck func(context.Context) error
	// RegisterTTL is how long a registration outlives its last renewal. Zero means
	// that nobody set it: the implementation's default.
	RegisterTTL time.Duration
	// RegisterInterval is the time between two checks that the registration still
	// stands. Zero means that nobody set it: the implementation's default.
	RegisterInterval time.Duration

	// Tracer keeps the spans of the calls that are served, and begins a trace for those
	// that are of none. Nil means that traces which arrive are kept by
	// trace.DefaultTracer, and none is begun.
	Tracer trace.Tracer

	// Router serves everything that arrives, in place of the handlers. May be nil.
	Router Router

	// ConcurrencyLimit is how many calls are served at a time. Zero means no limit,
	// AdaptiveLimit one that the server finds by itself.
	ConcurrencyLimit int

	// TLSConfig makes the server listen with TLS. Nil means without.
	TLSConfig *tls.Config

	// Context carries the settings of one implementation. May be nil.
	Context context.Context
}

// NewOptions returns the options applied, with the defaults of this package in
// place of what they left empty. It is for implementations of Server.
func NewOptions(options ...Option) Options {
	opts := Options{
		Codecs:        make(map[string]codec.NewCodec),
		Metadata:      make(map[string]string),
		Broker:        broker.DefaultBroker,
		Registry:      registry.DefaultRegistry,
		Transport:     transport.DefaultTransport,
		Auth:          auth.DefaultAuth,
		RegisterCheck: DefaultRegisterCheck,
		Address:       DefaultAddress,
		Name:          DefaultName,
		Id:            DefaultId,
		Version:       DefaultVersion,
	}
	for _, o := range options {
		o(&opts)
	}
	if opts.RegisterCheck == nil {
		opts.RegisterCheck = DefaultRegisterCheck
	}
	orDefault(&opts.Address, DefaultAddress)
	orDefault(&opts.Name, DefaultName)
	orDefault(&opts.Id, DefaultId)
	orDefault(&opts.Version, DefaultVersion)
	return opts
}

func orDefault(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// Name sets the name of the service.
func Name(n string) Option {
	return func(o *Options) { o.Name = n }
}

// Id sets what makes the node unique.
func Id(id string) Option {
	return func(o *Options) { o.Id = id }
}

// Version sets the version of the service.
func Version(v string) Option {
	return func(o *Options) { o.Version = v }
}

// Address sets where to listen, host:port.
func Address(a string) Option {
	return func(o *Options) { o.Address = a }
}

// Advertise sets the address to register, host:port.
func Advertise(a string) Option {
	return func(o *Options) { o.Advertise = a }
}

// AdvertiseInterface sets the network interface whose address to register.
func AdvertiseInterface(name string) Option {
	return func(o *Options) { o.AdvertiseInterface = name }
}

// AdvertiseCIDR sets the network whose address to register, such as 10.0.0.0/8.
func AdvertiseCIDR(cidr string) Option {
	return func(o *Options) { o.AdvertiseCIDR = cidr }
}

// Auth sets what judges the calls of the service that the server is for.
func Auth(a auth.Auth) Option {
	return func(o *Options) { o.Auth = a }
}

// Broker sets what carries the messages of subscribers.
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

// Context sets a context that carries settings of the implementation. What other
// options put there, before or after, stays.
func Context(ctx context.Context) Option {
	return func(o *Options) {
		if o.Context == nil || ctx == nil {
			o.Context = cmp.Or(ctx, o.Context)
			return
		}
		o.Context = joined{ctx, o.Context}
	}
}

// joined is a context with the values of another one below its own.
type joined struct {
	context.Context
	below context.Context
}

func (j joined) Value(key any) any {
	if v := j.Context.Value(key); v != nil {
		return v
	}
	return j.below.Value(key)
}

// Registry sets where the server registers.
func Registry(r registry.Registry) Option {
	return func(o *Options) { o.Registry = r }
}

// Transport sets the transport of implementations that use one. server/grpc takes Secure and
// TLSConfig from it when it starts.
func Transport(t transport.Transport) Option {
	return func(o *Options) { o.Transport = t }
}

// Metadata replaces the metadata of the node.
func Metadata(md map[string]string) Option {
	return func(o *Options) { o.Metadata = md }
}

// RegisterCheck sets what is asked before each registration.
func RegisterCheck(fn func(context.Context) error) Option {
	return func(o *Options) { o.RegisterCheck = fn }
}

// RegisterTTL sets how long a registration outlives its last renewal.
func RegisterTTL(t time.Duration) Option {
	return func(o *Options) { o.RegisterTTL = t }
}

// RegisterInterval sets the time between two checks of the registration.
func RegisterInterval(t time.Duration) Option {
	return func(o *Options) { o.RegisterInterval = t }
}

// AdaptiveLimit is a ConcurrencyLimit that the server finds by itself: it goes down when
// answers take more than twice as long as they do without load, and up as long as they do
// not.
const AdaptiveLimit = -1

// ConcurrencyLimit sets how many calls the server serves at a time, a stream counting as
// one. What is beyond is turned away with an error of code 429 before its request is
// read, and clients of this module take it to another node. Zero means no limit. Health
// and reflection are not limited.
func ConcurrencyLimit(n int) Option {
	return func(o *Options) { o.ConcurrencyLimit = n }
}

// TLSConfig makes the server listen with TLS. It does not change the transport.
func TLSConfig(t *tls.Config) Option {
	return func(o *Options) { o.TLSConfig = t }
}

// Tracer sets what keeps the spans of the calls that are served, and lets traces begin
// here.
func Tracer(t trace.Tracer) Option {
	return func(o *Options) { o.Tracer = t }
}

// WithRouter sets what serves everything that arrives.
func WithRouter(r Router) Option {
	return func(o *Options) { o.Router = r }
}

// waitKey is the context key of Wait. It is a plain string because programs and
// servers of their own read it.
const waitKey = "wait"

// Wait makes Stop wait until wg is done, and each request count in it while it
// is served. A nil wg means one that only the server knows. The group is found
// in Options.Context under the string key "wait".
func Wait(wg *sync.WaitGroup) Option {
	return func(o *Options) {
		if wg == nil {
			wg = new(sync.WaitGroup)
		}
		ctx := o.Context
		if ctx == nil {
			ctx = context.Background() // carries values only
		}
		//lint:ignore SA1029 v2 keeps the group under this plain string, and its programs may read it there
		o.Context = context.WithValue(ctx, waitKey, wg)
	}
}

// BeforeDeregister adds a function to run before a stopping server deregisters.
// Stop returns its error, as it does those of AfterDeregister and AfterDrain. None of
// them may call Stop, which would wait for itself.
func BeforeDeregister(fn func() error) Option {
	return func(o *Options) { o.BeforeDeregister = append(o.BeforeDeregister, fn) }
}

// AfterDeregister adds a function to run when a stopping server has left the
// registry, or has tried to. It still takes calls.
func AfterDeregister(fn func() error) Option {
	return func(o *Options) { o.AfterDeregister = append(o.AfterDeregister, fn) }
}

// AfterDrain adds a function to run when a stopping server takes no more calls and
// those in flight have ended or were cut off: what they needed can be closed.
func AfterDrain(fn func() error) Option {
	return func(o *Options) { o.AfterDrain = append(o.AfterDrain, fn) }
}

// WrapHandler adds a wrapper to those that surround each request. server/grpc puts
// them around the services of protoc-gen-go-grpc as well, streams of these included;
// health and reflection as it brings them itself are not surrounded.
func WrapHandler(w HandlerWrapper) Option {
	return func(o *Options) { o.HdlrWrappers = append(o.HdlrWrappers, w) }
}

// WrapSubscriber adds a wrapper to those that surround each message.
func WrapSubscriber(w SubscriberWrapper) Option {
	return func(o *Options) { o.SubWrappers = append(o.SubWrappers, w) }
}
