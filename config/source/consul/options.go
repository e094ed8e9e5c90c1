package consul

import (
	"crypto/tls"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/settings"
)

// DefaultPrefix is what the keys begin with unless told otherwise. Keys of Consul have
// no "/" at the beginning, and that of a prefix does not count.
var DefaultPrefix = "/micro/config/"

// given is what the options of this source say.
type given struct {
	addrs      []string
	prefix     *string
	strip      bool
	layers     *keytree.Layers
	access     credentials.Credentials
	tls        *tls.Config
	datacenter string
}

func option(change func(*given)) source.Option {
	return func(o *source.Options) {
		g, _ := settings.Of[given](o.Context)
		change(&g)
		o.Context = settings.With(o.Context, g)
	}
}

// WithAddress says where agents of Consul are, host:port each, by default what
// CONSUL_HTTP_ADDR says, or 127.0.0.1:8500. The next one is asked when one fails.
func WithAddress(a ...string) source.Option { return option(func(g *given) { g.addrs = a }) }

// WithPrefix takes the keys below p, by default DefaultPrefix, and the key p itself. A
// prefix ends where a part of the key does: "a/b" takes "a/b/c" and not "a/bc".
func WithPrefix(p string) source.Option { return option(func(g *given) { g.prefix = &p }) }

// StripPrefix says whether the prefix is left out of the paths of the values.
func StripPrefix(strip bool) source.Option { return option(func(g *given) { g.strip = strip }) }

// Layers makes one configuration of the layers below the prefix, by the keys that
// config/source/etcd describes.
func Layers(service, environment string) source.Option {
	return option(func(g *given) { g.layers = keytree.NewLayers(service, environment) })
}

// WithDatacenter takes the keys of another datacenter than the agent's.
func WithDatacenter(name string) source.Option {
	return option(func(g *given) { g.datacenter = name })
}

// WithToken shows Consul an ACL token, by default that of CONSUL_HTTP_TOKEN_FILE or
// CONSUL_HTTP_TOKEN. It takes key:read on the prefix.
func WithToken(token string) source.Option {
	return option(func(g *given) { g.access.Token, g.access.TokenFile = token, "" })
}

// WithTokenFile is WithToken with the token in a file, which is read for each request.
func WithTokenFile(path string) source.Option {
	return option(func(g *given) { g.access.Token, g.access.TokenFile = "", path })
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
