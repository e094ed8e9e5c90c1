package micro

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/cmd"
	"github.com/rollcall-go/micro/debug/profile"
	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/store"
	"github.com/rollcall-go/micro/transport"
)

// Options are the parts and settings of a service.
type Options struct {
	Auth      auth.Auth
	Broker    broker.Broker
	Cmd       cmd.Cmd
	Client    client.Client
	Config    config.Config
	Server    server.Server
	Registry  registry.Registry
	Store     store.Store
	Transport transport.Transport
	// Profile profiles the program while Run serves. Nil means that nothing does.
	Profile profile.Profile

	// Functions to run around start and stop, in the order in which they were
	// added.
	BeforeStart []func() error
	BeforeStop  []func() error
	AfterStart  []func() error
	AfterStop   []func() error

	// Context ends Run when it is done, and carries settings of other packages.
	Context context.Context

	// Signal says whether Run ends at SIGTERM, SIGINT and SIGQUIT. The first of them
	// stops the service, a second one ends the process. SIGHUP is not caught: it ends the
	// process, whose node stays in the registry until its TTL ends.
	Signal bool

	// pending is what options said and was not carried out yet: options only
	// record, so that their order does not matter.
	pending pending
}

// pending holds settings for the parts of a service.
type pending struct {
	server   []server.Option
	client   []client.Option
	wrappers []client.Wrapper
	flags    []cli.Flag
	action   func(*cli.Context) error
	// given are the parts that an option put in place: server and client have to
	// hear of them. parts says that there is another server or client to hear.
	given given
	parts bool
}

// given says which of the parts that others use were chosen for the service.
type given struct{ registry, broker, transport, auth bool }

// and returns what is in one of the two.
func (g given) and(o given) given {
	return given{g.registry || o.registry, g.broker || o.broker, g.transport || o.transport, g.auth || o.auth}
}

// Auth sets what judges the calls of others, and gives the service the token that its own
// calls show. By default it is auth.DefaultAuth, and nobody is asked for a token.
func Auth(a auth.Auth) Option {
	return func(o *Options) { o.Auth, o.pending.given.auth = a, true }
}

// Tracer sets what keeps the spans of the service's calls, those that it makes and those
// that it serves, and lets traces begin in this service. Without it those traces are kept
// that arrive with requests, by trace.DefaultTracer.
func Tracer(t trace.Tracer) Option { return serverOption(server.Tracer(t)) }

// Profile sets what profiles the program while Run serves.
func Profile(p profile.Profile) Option {
	return func(o *Options) { o.Profile = p }
}

// Broker sets what carries published messages.
func Broker(b broker.Broker) Option {
	return func(o *Options) { o.Broker, o.pending.given.broker = b, true }
}

// Cmd sets the command line.
func Cmd(c cmd.Cmd) Option {
	return func(o *Options) { o.Cmd = c }
}

// Client sets what calls other services.
func Client(c client.Client) Option {
	return func(o *Options) { o.Client, o.pending.parts = c, true }
}

// Config sets the configuration of the program, by default config.DefaultConfig. It
// remains the caller's to close.
func Config(c config.Config) Option {
	return func(o *Options) { o.Config = c }
}

// Context sets the context that ends Run when it is done.
func Context(ctx context.Context) Option {
	return func(o *Options) { o.Context = ctx }
}

// HandleSignal says whether Run ends at a signal, as Options.Signal describes. It
// does by default.
func HandleSignal(b bool) Option {
	return func(o *Options) { o.Signal = b }
}

// Server sets what serves the service's handlers.
func Server(s server.Server) Option {
	return func(o *Options) { o.Server, o.pending.parts = s, true }
}

// Registry sets where the service registers and looks up others. It remains the
// caller's to close.
func Registry(r registry.Registry) Option {
	return func(o *Options) { o.Registry, o.pending.given.registry = r, true }
}

// Store sets where the program keeps records, by default store.DefaultStore. It remains the
// caller's to close.
func Store(s store.Store) Option {
	return func(o *Options) { o.Store = s }
}

// Selector sets what chooses among the nodes of a service.
func Selector(s selector.Selector) Option {
	return func(o *Options) { o.pending.client = append(o.pending.client, client.Selector(s)) }
}

// Transport sets the transport of clients and servers that use one.
func Transport(t transport.Transport) Option {
	return func(o *Options) { o.Transport, o.pending.given.transport = t, true }
}

// Address sets where the service listens, host:port.
func Address(addr string) Option { return serverOption(server.Address(addr)) }

// Name sets the name that the service registers under.
func Name(n string) Option { return serverOption(server.Name(n)) }

// Version sets the version that the service registers with.
func Version(v string) Option { return serverOption(server.Version(v)) }

// Metadata sets the metadata of the service's node.
func Metadata(md map[string]string) Option { return serverOption(server.Metadata(md)) }

// RegisterTTL sets how long the registration outlives its last renewal.
func RegisterTTL(t time.Duration) Option { return serverOption(server.RegisterTTL(t)) }

// RegisterInterval sets the time between two checks of the registration.
func RegisterInterval(t time.Duration) Option { return serverOption(server.RegisterInterval(t)) }

func serverOption(so server.Option) Option {
	return func(o *Options) { o.pending.server = append(o.pending.server, so) }
}

// WrapClient surrounds the client; the first wrapper of one WrapClient is its
// outermost, the last WrapClient the outermost of all.
func WrapClient(w ...client.Wrapper) Option {
	return func(o *Options) {
		for i := len(w) - 1; i >= 0; i-- {
			o.pending.wrappers = append(o.pending.wrappers, w[i])
		}
	}
}

// WrapCall surrounds each attempt of a call, the first wrapper outermost.
func WrapCall(w ...client.CallWrapper) Option {
	return func(o *Options) { o.pending.client = append(o.pending.client, client.WrapCall(w...)) }
}

// WrapHandler surrounds each request, the first wrapper outermost: those of handlers
// and those of services by protoc-gen-go-grpc.
func WrapHandler(w ...server.HandlerWrapper) Option {
	return func(o *Options) {
		for _, one := range w {
			o.pending.server = append(o.pending.server, server.WrapHandler(one))
		}
	}
}

// WrapSubscriber surrounds each message, the first wrapper outermost.
func WrapSubscriber(w ...server.SubscriberWrapper) Option {
	return func(o *Options) {
		for _, one := range w {
			o.pending.server = append(o.pending.server, server.WrapSubscriber(one))
		}
	}
}

// Flags adds flags to the command line.
func Flags(flags ...cli.Flag) Option {
	return func(o *Options) { o.pending.flags = append(o.pending.flags, flags...) }
}

// Action sets a function that the first Init runs once the command line is
// applied, so that it can read flags of the program's own.
func Action(a func(*cli.Context) error) Option {
	return func(o *Options) { o.pending.action = a }
}

// BeforeStart adds a function to run before the service serves; its error ends
// Run.
func BeforeStart(fn func() error) Option {
	return func(o *Options) { o.BeforeStart = append(o.BeforeStart, fn) }
}

// BeforeStop adds a function to run before the service stops.
func BeforeStop(fn func() error) Option {
	return func(o *Options) { o.BeforeStop = append(o.BeforeStop, fn) }
}

// BeforeDeregister adds a function to run before the service deregisters, after
// those of BeforeStop. Run returns its error, as it does those of AfterDeregister and
// AfterDrain.
func BeforeDeregister(fn func() error) Option { return serverOption(server.BeforeDeregister(fn)) }

// AfterDeregister adds a function to run when the service has left the registry, or
// has tried to. It still takes calls.
func AfterDeregister(fn func() error) Option { return serverOption(server.AfterDeregister(fn)) }

// AfterDrain adds a function to run when the service takes no more calls and those in
// flight have ended or were cut off, before those of AfterStop.
func AfterDrain(fn func() error) Option { return serverOption(server.AfterDrain(fn)) }

// AfterStart adds a function to run once the service serves; its error ends Run. It
// is registered by then, unless the registry has not answered within a second or the
// node is kept out, as by a check of server.RegisterCheck that fails.
func AfterStart(fn func() error) Option {
	return func(o *Options) { o.AfterStart = append(o.AfterStart, fn) }
}

// AfterStop adds a function to run when the service has stopped serving.
func AfterStop(fn func() error) Option {
	return func(o *Options) { o.AfterStop = append(o.AfterStop, fn) }
}
