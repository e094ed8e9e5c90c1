package etcd

import (
	"crypto/tls"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/attach"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/sync"
)

func option(change attach.Option) sync.Option {
	return func(o *sync.Options) { o.Context = change(o.Context) }
}

// Auth makes it log in. With one of the two empty there is no login.
func Auth(username, password string) sync.Option { return option(attach.Auth(username, password)) }

// AuthFile makes it log in with the password that stands in a file, which is read at each
// login.
func AuthFile(username, passwordFile string) sync.Option {
	return option(attach.AuthFile(username, passwordFile))
}

// TLS switches TLS on with these settings, which are copied; nil stands for the system's
// authorities and no certificate.
func TLS(config *tls.Config) sync.Option { return option(attach.TLS(config)) }

// TLSFiles switches TLS on with certificates in PEM files, which are read at each new
// connection. Each may be empty, but cert and key come together.
func TLSFiles(ca, cert, key string) sync.Option { return option(attach.TLSFiles(ca, cert, key)) }

// Namespace puts "/name" before every key, as the namespace of the registry does.
func Namespace(name string) sync.Option { return option(attach.Namespace(name)) }

// Timeout bounds each request to etcd, by default 5 seconds.
func Timeout(d time.Duration) sync.Option { return option(attach.Timeout(d)) }

// Client makes it use a client of the program's own, which is never closed here. Addresses,
// TLS and login are then that client's.
func Client(client *clientv3.Client) sync.Option { return option(attach.Client(client)) }

// Registry makes it use the connection and the namespace of a registry in etcd. Addresses,
// TLS, login and timeout are then the registry's. The registry stays the program's; close it
// last.
func Registry(r registry.Registry) sync.Option { return option(attach.Registry(r)) }
