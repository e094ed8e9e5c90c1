package cmd

import (
	"context"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/debug/profile"
	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/store"
	"github.com/rollcall-go/micro/transport"
)

// Options are the settings of a Cmd. The pointers say where the values are that
// the command line configures or replaces; nil means that there is none.
type Options struct {
	// Name, Description and Version are shown by --help and --version.
	Name        string
	Description string
	Version     string

	Auth      *auth.Auth
	Broker    *broker.Broker
	Registry  *registry.Registry
	Selector  *selector.Selector
	Transport *transport.Transport
	Client    *client.Client
	Server    *server.Server
	Store     *store.Store
	// Config is for a Cmd of the program's own: no flag of this package changes it.
	Config *config.Config
	// Tracer and Profile are replaced by those that were named.
	Tracer  *trace.Tracer
	Profile *profile.Profile

	// The implementations that can be chosen by name, beside the Default maps.
	Auths      map[string]func(...auth.Option) auth.Auth
	Brokers    map[string]func(...broker.Option) broker.Broker
	Clients    map[string]func(...client.Option) client.Client
	Registries map[string]func(...registry.Option) registry.Registry
	Selectors  map[string]func(...selector.Option) selector.Selector
	Servers    map[string]func(...server.Option) server.Server
	Stores     map[string]func(...store.Option) store.Store
	Transports map[string]func(...transport.Option) transport.Transport
	Tracers    map[string]func(...trace.Option) trace.Tracer
	Profiles   map[string]func(...profile.Option) profile.Profile

	// Context carries settings of other packages. May be nil.
	Context context.Context
}

// Option sets a field of Options.
type Option func(o *Options)

// Name sets the name that --help shows.
func Name(n string) Option { return func(o *Options) { o.Name = n } }

// Description sets the text that --help shows.
func Description(d string) Option { return func(o *Options) { o.Description = d } }

// Version sets the version that --version shows.
func Version(v string) Option { return func(o *Options) { o.Version = v } }

// Registry says where the registry is.
func Registry(r *registry.Registry) Option { return func(o *Options) { o.Registry = r } }

// Client says where the client is.
func Client(c *client.Client) Option { return func(o *Options) { o.Client = c } }

// Config says where the configuration is.
func Config(c *config.Config) Option { return func(o *Options) { o.Config = c } }

// Server says where the server is.
func Server(s *server.Server) Option { return func(o *Options) { o.Server = s } }

// NewClient adds a client that can be chosen by name.
func NewClient(name string, c func(...client.Option) client.Client) Option {
	return func(o *Options) { o.Clients = with(o.Clients, name, c) }
}

// NewRegistry adds a registry that can be chosen by name.
func NewRegistry(name string, r func(...registry.Option) registry.Registry) Option {
	return func(o *Options) { o.Registries = with(o.Registries, name, r) }
}

// NewServer adds a server that can be chosen by name.
func NewServer(name string, s func(...server.Option) server.Server) Option {
	return func(o *Options) { o.Servers = with(o.Servers, name, s) }
}

func with[T any](m map[string]T, name string, v T) map[string]T {
	if m == nil {
		m = map[string]T{}
	}
	m[name] = v
	return m
}
