// Package attach says which connection to etcd a part of a program uses that keeps something
// there beside the registry: one of its own, or the registry's.
package attach

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// Given is what the options of such a part say. It travels in the Context of its options.
type Given struct {
	access    credentials.Credentials
	tls       *tls.Config
	namespace string
	timeout   time.Duration
	client    *clientv3.Client
	registry  registry.Registry
}

// Option changes what is given in ctx, which may be nil, and returns ctx with it.
type Option func(ctx context.Context) context.Context

func option(change func(*Given)) Option {
	return func(ctx context.Context) context.Context {
		g, _ := settings.Of[Given](ctx)
		change(&g)
		return settings.With(ctx, g)
	}
}

// Auth makes the connection log in. With one of the two empty there is no login.
func Auth(username, password string) Option {
	return option(func(g *Given) { g.access.Username, g.access.Password, g.access.PasswordFile = username, password, "" })
}

// AuthFile makes the connection log in with the password that stands in a file.
func AuthFile(username, passwordFile string) Option {
	return option(func(g *Given) {
		g.access.Username, g.access.Password, g.access.PasswordFile = username, "", passwordFile
	})
}

// TLS switches TLS on; nil stands for the system's authorities and no certificate.
func TLS(config *tls.Config) Option {
	return option(func(g *Given) {
		if g.tls = config; config == nil {
			g.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		}
	})
}

// TLSFiles switches TLS on with certificates in PEM files.
func TLSFiles(ca, cert, key string) Option {
	return option(func(g *Given) { g.access.TLSFiles = reload.Files{CA: ca, Cert: cert, Key: key} })
}

// Namespace puts "/name" before every key.
func Namespace(name string) Option { return option(func(g *Given) { g.namespace = name }) }

// Timeout bounds each request.
func Timeout(d time.Duration) Option { return option(func(g *Given) { g.timeout = d }) }

// Client makes the connection that of a client of the program's own.
func Client(client *clientv3.Client) Option { return option(func(g *Given) { g.client = client }) }

// Registry makes the connection and the namespace those of a registry in etcd.
func Registry(r registry.Registry) Option { return option(func(g *Given) { g.registry = r }) }

// Connected is a registry in etcd.
type Connected interface {
	Conn() *etcd.Conn
	Layout() layout.Layout
}

// Attached is a connection, and where the keys are. The zero value is none.
type Attached struct {
	own    *etcd.Conn // nil: the registry's is used
	shared Connected
	keys   layout.Layout
}

// Open returns the connection that the options in ctx ask for, to the addresses unless they say
// otherwise. It does no I/O. warn is told what whoever runs the cluster should know. With an
// error it is to be closed all the same.
func Open(ctx context.Context, addrs []string, warn func(text string)) (Attached, error) {
	g, _ := settings.Of[Given](ctx)
	if g.registry != nil {
		shared, ok := ability.As[Connected](g.registry)
		if !ok {
			return Attached{}, fmt.Errorf("use the connection of the registry %v: it is not in etcd: leave the option Registry out, and say where etcd is by the option Nodes", g.registry)
		}
		return Attached{shared: shared}, nil
	}
	a := Attached{keys: layout.Layout{Namespace: g.namespace}, own: etcd.Open(etcd.Config{
		Addrs:        addrs,
		TLS:          g.tls,
		TLSFiles:     g.access.TLSFiles,
		Username:     g.access.Username,
		Password:     g.access.Password,
		PasswordFile: g.access.PasswordFile,
		Timeout:      g.timeout,
		Client:       g.client,
		Warn:         warn,
	})}
	return a, cmp.Or(a.own.Err(), a.keys.Check())
}

// Conn returns the connection, and where the keys are: a registry may get other ones.
func (a Attached) Conn() (*etcd.Conn, layout.Layout) {
	if a.shared != nil {
		return a.shared.Conn(), a.shared.Layout()
	}
	return a.own, a.keys
}

// Close ends the connection, unless it is a registry's.
func (a Attached) Close() error {
	if a.own == nil {
		return nil
	}
	return a.own.Close()
}
