package service

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/transport"
)

// Options are the parts and settings of a service.
type Options struct {
	Broker    broker.Broker
	Client    client.Client
	Server    server.Server
	Registry  registry.Registry
	Transport transport.Transport

	// Functions to run around start and stop, in the order in which they were added.
	BeforeStart []func() error
	BeforeStop  []func() error
	AfterStart  []func() error
	AfterStop   []func() error

	// Context ends Run when it is done, and carries settings of other packages.
	Context context.Context
}

// Option sets something about a service. An option reaches the parts that are in place
// when it is applied: those that set client and server come first.
type Option func(*Options)

// NewOptions returns the process's Default values with the options applied.
func NewOptions(opts ...Option) Options {
	o := Options{
		Broker:    broker.DefaultBroker,
		Client:    client.DefaultClient,
		Server:    server.DefaultServer,
		Registry:  registry.DefaultRegistry,
		Transport: transport.DefaultTransport,
		Context:   context.Background(), // never done: the service then ends by signal alone
	}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// init sets up client and server.
func (o *Options) init(toClient []client.Option, toServer []server.Option) {
	if len(toClient) > 0 {
		o.failed(o.Client.Init(toClient...))
	}
	if len(toServer) > 0 {
		o.failed(o.Server.Init(toServer...))
	}
}

// failed keeps the service from starting with an option that a part refused.
func (o *Options) failed(err error) {
	if err != nil {
		BeforeStart(func() error { return err })(o)
	}
}

func toServer(opts ...server.Option) Option {
	return func(o *Options) { o.init(nil, opts) }
}

// Broker sets what carries published messages.
func Broker(b broker.Broker) Option {
	return func(o *Options) {
		o.Broker = b
		o.init([]client.Option{client.Broker(b)}, []server.Option{server.Broker(b)})
	}
}

// Client sets what calls other services.
func Client(c client.Client) Option { return func(o *Options) { o.Client = c } }

// Context sets the context that ends Run when it is done.
func Context(ctx context.Context) Option { return func(o *Options) { o.Context = ctx } }

// Server sets what serves the service's handlers.
func Server(s server.Server) Option { return func(o *Options) { o.Server = s } }

// Registry sets where the service registers and looks up others.
func Registry(r registry.Registry) Option {
	return func(o *Options) {
		o.Registry = r
		o.init([]client.Option{client.Registry(r)}, []server.Option{server.Registry(r)})
		o.failed(o.Broker.Init(broker.Registry(r)))
	}
}

// Transport sets the transport of clients and servers that use one.
func Transport(t transport.Transport) Option {
	return func(o *Options) {
		o.Transport = t
		o.init([]client.Option{client.Transport(t)}, []server.Option{server.Transport(t)})
	}
}

// Address sets where the service listens, host:port.
func Address(addr string) Option { return toServer(server.Address(addr)) }

// Name sets the name that the service registers under.
func Name(n string) Option { return toServer(server.Name(n)) }

// Version sets the version that the service registers with.
func Version(v string) Option { return toServer(server.Version(v)) }

// Metadata sets the metadata of the service's node.
func Metadata(md map[string]string) Option { return toServer(server.Metadata(md)) }

// RegisterTTL sets how long the registration outlives its last renewal.
func RegisterTTL(t time.Duration) Option { return toServer(server.RegisterTTL(t)) }

// RegisterInterval sets the time between two checks of the registration.
func RegisterInterval(t time.Duration) Option { return toServer(server.RegisterInterval(t)) }

// WrapClient surrounds the client, the first wrapper outermost.
func WrapClient(w ...client.Wrapper) Option {
	return func(o *Options) {
		for i := len(w) - 1; i >= 0; i-- {
			o.Client = w[i](o.Client)
		}
	}
}

// WrapCall surrounds each attempt of a call, the first wrapper outermost.
func WrapCall(w ...client.CallWrapper) Option {
	return func(o *Options) { o.init([]client.Option{client.WrapCall(w...)}, nil) }
}

// WrapHandler surrounds each request, the first wrapper outermost.
func WrapHandler(w ...server.HandlerWrapper) Option {
	var opts []server.Option
	for _, one := range w {
		opts = append(opts, server.WrapHandler(one))
	}
	return toServer(opts...)
}

// WrapSubscriber surrounds each message, the first wrapper outermost.
func WrapSubscriber(w ...server.SubscriberWrapper) Option {
	var opts []server.Option
	for _, one := range w {
		opts = append(opts, server.WrapSubscriber(one))
	}
	return toServer(opts...)
}

// BeforeStart adds a function to run before the service serves; its error ends Run.
func BeforeStart(fn func() error) Option {
	return func(o *Options) { o.BeforeStart = append(o.BeforeStart, fn) }
}

// BeforeStop adds a function to run before the service stops.
func BeforeStop(fn func() error) Option {
	return func(o *Options) { o.BeforeStop = append(o.BeforeStop, fn) }
}

// AfterStart adds a function to run once the service serves; its error ends Run.
func AfterStart(fn func() error) Option {
	return func(o *Options) { o.AfterStart = append(o.AfterStart, fn) }
}

// AfterStop adds a function to run when the service has stopped serving.
func AfterStop(fn func() error) Option {
	return func(o *Options) { o.AfterStop = append(o.AfterStop, fn) }
}
