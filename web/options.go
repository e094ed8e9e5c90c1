package web

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/registry"
)

// Options are the settings of a web service.
type Options struct {
	// Name, Version and Id are what the service registers as; Id is the whole id of
	// its node.
	Name    string
	Version string
	Id      string
	// Metadata is added to the node in the registry.
	Metadata map[string]string
	// Address is where to listen, host:port. Port 0 means a free one.
	Address string
	// Advertise is the address to register, in place of the one listened on.
	Advertise string

	// Action is run by the first Init once the command line is applied.
	Action func(*cli.Context)
	// Flags are added to the command line.
	Flags []cli.Flag

	// RegisterTTL is how long a registration outlives its last renewal, RegisterInterval
	// the time between two checks that it still stands.
	RegisterTTL      time.Duration
	RegisterInterval time.Duration
	// RegisterCheck is asked before each registration; while it returns an error the
	// service is not registered.
	RegisterCheck func(context.Context) error

	// Server is the program's own, whose timeouts and limits then hold. Its Handler is
	// replaced. Nil means one with the timeouts of this package.
	Server *http.Server
	// Handler serves all requests, in place of what Handle was given.
	Handler http.Handler

	// Context ends Run when it is done, and carries settings of other packages.
	Context context.Context

	// Registry is where the service registers. Nil means that of Service.
	Registry registry.Registry
	// Service has the command line and the client. It is never run by this one.
	Service micro.Service

	// Secure makes the service speak TLS, with a certificate that it makes itself if
	// nobody gave one.
	Secure bool
	// TLSConfig makes the service speak TLS with these settings.
	TLSConfig *tls.Config

	// Functions to run around start and stop, in the order in which they were added.
	BeforeStart []func() error
	BeforeStop  []func() error
	AfterStart  []func() error
	AfterStop   []func() error

	// StaticDir is the directory whose files are served if there is one and nothing
	// handles /. Empty means none.
	StaticDir string

	// Signal says whether Run ends at SIGTERM, SIGINT and SIGQUIT.
	Signal bool
}

// newOptions returns the defaults with the options applied.
func newOptions(opts ...Option) Options {
	o := Options{
		Name:             DefaultName,
		Version:          DefaultVersion,
		Id:               DefaultId,
		Address:          DefaultAddress,
		RegisterTTL:      DefaultRegisterTTL,
		RegisterInterval: DefaultRegisterInterval,
		StaticDir:        DefaultStaticDir,
		Context:          context.Background(), // never done: the service then ends by signal alone
		Signal:           true,
	}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Name sets the name that the service registers under.
func Name(n string) Option { return func(o *Options) { o.Name = n } }

// Icon sets the address of a picture that pages about services show.
func Icon(ico string) Option {
	return func(o *Options) {
		md := map[string]string{"icon": ico}
		for k, v := range o.Metadata {
			if k != "icon" {
				md[k] = v
			}
		}
		o.Metadata = md
	}
}

// Id sets the id of the service's node.
func Id(id string) Option { return func(o *Options) { o.Id = id } }

// Version sets the version that the service registers with.
func Version(v string) Option { return func(o *Options) { o.Version = v } }

// Metadata sets the metadata of the service's node.
func Metadata(md map[string]string) Option { return func(o *Options) { o.Metadata = md } }

// Address sets where to listen, host:port.
func Address(a string) Option { return func(o *Options) { o.Address = a } }

// Advertise sets the address to register, host:port, in place of the one listened on.
func Advertise(a string) Option { return func(o *Options) { o.Advertise = a } }

// Context sets the context that ends Run when it is done.
func Context(ctx context.Context) Option {
	return func(o *Options) { o.Context = keepSettings(ctx, o.Context) }
}

// Registry sets where the service registers. It remains the caller's to close.
func Registry(r registry.Registry) Option { return func(o *Options) { o.Registry = r } }

// RegisterTTL sets how long a registration outlives its last renewal.
func RegisterTTL(t time.Duration) Option { return func(o *Options) { o.RegisterTTL = t } }

// RegisterInterval sets the time between two checks of the registration.
func RegisterInterval(t time.Duration) Option { return func(o *Options) { o.RegisterInterval = t } }

// RegisterCheck sets what is asked before each registration.
func RegisterCheck(fn func(context.Context) error) Option {
	return func(o *Options) { o.RegisterCheck = fn }
}

// Handler sets what serves all requests: a router of net/http, gin, echo or chi.
func Handler(h http.Handler) Option { return func(o *Options) { o.Handler = h } }

// Server sets the HTTP server, with the program's own timeouts and limits.
func Server(srv *http.Server) Option { return func(o *Options) { o.Server = srv } }

// MicroService gives the service the registry, the command line and the client of
// another one, so that both are in one process. Each of the two is run by itself.
func MicroService(s micro.Service) Option { return func(o *Options) { o.Service = s } }

// Flags adds flags to the command line.
func Flags(flags ...cli.Flag) Option { return func(o *Options) { o.Flags = append(o.Flags, flags...) } }

// Action sets a function that the first Init runs once the command line is applied.
func Action(a func(*cli.Context)) Option { return func(o *Options) { o.Action = a } }

// BeforeStart adds a function to run before the service listens; its error ends Run.
func BeforeStart(fn func() error) Option {
	return func(o *Options) { o.BeforeStart = append(o.BeforeStart, fn) }
}

// BeforeStop adds a function to run when the service has left the registry and still
// serves.
func BeforeStop(fn func() error) Option {
	return func(o *Options) { o.BeforeStop = append(o.BeforeStop, fn) }
}

// AfterStart adds a function to run when the service serves, before it registers; its
// error ends Run.
func AfterStart(fn func() error) Option {
	return func(o *Options) { o.AfterStart = append(o.AfterStart, fn) }
}

// AfterStop adds a function to run when the service has stopped serving.
func AfterStop(fn func() error) Option {
	return func(o *Options) { o.AfterStop = append(o.AfterStop, fn) }
}

// Secure makes the service speak TLS. Without TLSConfig, TLSFiles or their flags it
// makes a certificate itself, which no client can verify: that keeps what is sent from
// those who only listen, and nobody from standing in between.
func Secure(b bool) Option { return func(o *Options) { o.Secure = b } }

// TLSConfig makes the service speak TLS with these settings.
func TLSConfig(t *tls.Config) Option { return func(o *Options) { o.TLSConfig = t } }

// StaticDir sets the directory whose files are served where nothing handles /.
func StaticDir(d string) Option { return func(o *Options) { o.StaticDir = d } }

// HandleSignal says whether Run ends at a signal. It does by default.
func HandleSignal(b bool) Option { return func(o *Options) { o.Signal = b } }
