package etcd

import (
	"crypto/tls"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// DefaultPrefix is what the keys begin with unless told otherwise.
var DefaultPrefix = "/micro/config/"

// given is what the options of this source say.
type given struct {
	addrs     []string
	prefix    *string
	strip     bool
	layers    *keytree.Layers
	layersOf  source.Instance // service and environment of the layers
	access    credentials.Credentials
	tls       *tls.Config
	namespace string
	timeout   time.Duration
	client    *clientv3.Client
	registry  registry.Registry
	instance  source.Instance
	silent    bool
}

func option(change func(*given)) source.Option {
	return func(o *source.Options) {
		g, _ := settings.Of[given](o.Context)
		change(&g)
		o.Context = settings.With(o.Context, g)
	}
}

// WithAddress says where etcd is, host:port each, by default 127.0.0.1:2379. https://
// before an address switches TLS on.
func WithAddress(a ...string) source.Option { return option(func(g *given) { g.addrs = a }) }

// WithPrefix takes the keys below p, by default DefaultPrefix, and the key p itself. A
// prefix ends where a part of the key does: "/a/b" takes "/a/b/c" and not "/a/bc".
func WithPrefix(p string) source.Option { return option(func(g *given) { g.prefix = &p }) }

// StripPrefix says whether the prefix is left out of the paths of the values.
func StripPrefix(strip bool) source.Option { return option(func(g *given) { g.strip = strip }) }

// Layers makes one configuration of what lies below the prefix, for a service in an
// environment; the later of these wins, by the rule by which sources merge:
//
//	PREFIX<path>                                            everybody
//	PREFIX_service/<service>/<path>                         the service
//	PREFIX_environment/<environment>/<path>                 the environment
//	PREFIX_environment/<environment>/_service/<service>/<path>
//
// With an empty name its layers are left out. A "/" in a name is a "-" in the key. The
// paths of the values are what stands for <path>, without prefix.
func Layers(service, environment string) source.Option {
	return option(func(g *given) {
		g.layers = keytree.NewLayers(service, environment)
		g.layersOf = source.Instance{Service: service, Environment: environment}
	})
}

// Instance says who reads the configuration, for a program that is no service. What is
// empty in it is taken from the service whose configuration it is, if there is one, and
// service and environment then from Layers.
func Instance(i source.Instance) source.Option { return option(func(g *given) { g.instance = i }) }

// Publish says whether etcd is told what of the configuration is in force here, by default
// yes, for who has a service and a node: then `micro config status` shows it.
func Publish(publish bool) source.Option { return option(func(g *given) { g.silent = !publish }) }

// Auth makes the source log in. With one of the two empty there is no login.
func Auth(username, password string) source.Option {
	return option(func(g *given) { g.access.Username, g.access.Password, g.access.PasswordFile = username, password, "" })
}

// AuthFile makes the source log in with the password that stands in a file, which is
// read at each login.
func AuthFile(username, passwordFile string) source.Option {
	return option(func(g *given) {
		g.access.Username, g.access.Password, g.access.PasswordFile = username, "", passwordFile
	})
}

// TLS switches TLS on with these settings, which are copied; nil stands for the
// system's authorities and no certificate.
func TLS(config *tls.Config) source.Option {
	return option(func(g *given) {
		if g.tls = config; config == nil {
			g.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		}
	})
}

// TLSFiles switches TLS on with certificates in PEM files, which are read at each new
// connection. Each may be empty, but cert and key come together.
func TLSFiles(ca, cert, key string) source.Option {
	return option(func(g *given) { g.access.TLSFiles = reload.Files{CA: ca, Cert: cert, Key: key} })
}

// Namespace puts "/name" before every key, as the namespace of the registry does. It is
// no part of the paths. name may have letters, digits, "-", "_" and "." only.
func Namespace(name string) source.Option { return option(func(g *given) { g.namespace = name }) }

// WithDialTimeout sets how long Read waits for etcd, by default 4 seconds. Loading
// waits 5 seconds for all sources, unless the Loader was told otherwise.
func WithDialTimeout(timeout time.Duration) source.Option {
	return option(func(g *given) { g.timeout = timeout })
}

// Client makes the source use a client of the program's own, which stays the
// program's: it is never closed here. Addresses, TLS and login are then that client's.
func Client(client *clientv3.Client) source.Option {
	return option(func(g *given) { g.client = client })
}

// Registry makes the source use the connection of a registry in etcd, one stream of
// watches for both. Addresses, TLS and login are then the registry's; the Namespace is
// not. The registry stays the program's; close it last.
func Registry(r registry.Registry) source.Option {
	return option(func(g *given) { g.registry = r })
}
