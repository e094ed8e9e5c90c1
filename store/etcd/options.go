package etcd

import (
	"crypto/tls"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/store"
)

// given is what the options of this store say.
type given struct {
	access    credentials.Credentials
	tls       *tls.Config
	namespace string
	timeout   time.Duration
	client    *clientv3.Client
	registry  registry.Registry
}

func option(change func(*given)) store.Option {
	return func(o *store.Options) {
		g, _ := settings.Of[given](o.Context)
		change(&g)
		o.Context = settings.With(o.Context, g)
	}
}

// Auth makes the store log in. With one of the two empty there is no login.
func Auth(username, password string) store.Option {
	return option(func(g *given) { g.access.Username, g.access.Password, g.access.PasswordFile = username, password, "" })
}

// AuthFile makes the store log in with the password that stands in a file, which is read
// at each login.
func AuthFile(username, passwordFile string) store.Option {
	return option(func(g *given) {
		g.access.Username, g.access.Password, g.access.PasswordFile = username, "", passwordFile
	})
}

// TLS switches TLS on with these settings, which are copied; nil stands for the system's
// authorities and no certificate.
func TLS(config *tls.Config) store.Option {
	return option(func(g *given) {
		if g.tls = config; config == nil {
			g.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		}
	})
}

// TLSFiles switches TLS on with certificates in PEM files, which are read at each new
// connection. Each may be empty, but cert and key come together.
func TLSFiles(ca, cert, key string) store.Option {
	return option(func(g *given) { g.access.TLSFiles = reload.Files{CA: ca, Cert: cert, Key: key} })
}

// Namespace puts "/name" before every key, as the namespace of the registry does. name may
// have letters, digits, "-", "_" and "." only.
func Namespace(name string) store.Option { return option(func(g *given) { g.namespace = name }) }

// Timeout bounds each operation, by default 5 seconds.
func Timeout(d time.Duration) store.Option { return option(func(g *given) { g.timeout = d }) }

// Client makes the store use a client of the program's own, which stays the program's: it
// is never closed here. Addresses, TLS and login are then that client's.
func Client(client *clientv3.Client) store.Option {
	return option(func(g *given) { g.client = client })
}

// Registry makes the store use the connection and the namespace of a registry in etcd.
// Addresses, TLS, login and timeout are then the registry's. The registry stays the
// program's; close it last.
func Registry(r registry.Registry) store.Option {
	return option(func(g *given) { g.registry = r })
}
