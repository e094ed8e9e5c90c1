package etcd

import (
	"crypto/tls"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/attach"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/store"
)

func option(change attach.Option) store.Option {
	return func(o *store.Options) { o.Context = change(o.Context) }
}

// Auth makes the store log in. With one of the two empty there is no login.
func Auth(username, password string) store.Option { return option(attach.Auth(username, password)) }

// AuthFile makes the store log in with the password that stands in a file, which is read
// at each login.
func AuthFile(username, passwordFile string) store.Option {
	return option(attach.AuthFile(username, passwordFile))
}

// TLS switches TLS on with these settings, which are copied; nil stands for the system's
// authorities and no certificate.
func TLS(config *tls.Config) store.Option { return option(attach.TLS(config)) }

// TLSFiles switches TLS on with certificates in PEM files, which are read at each new
// connection. Each may be empty, but cert and key come together.
func TLSFiles(ca, cert, key string) store.Option { return option(attach.TLSFiles(ca, cert, key)) }

// Namespace puts "/name" before every key, as the namespace of the registry does. name may
// have letters, digits, "-", "_" and "." only.
func Namespace(name string) store.Option { return option(attach.Namespace(name)) }

// Timeout bounds each operation, by default 5 seconds.
func Timeout(d time.Duration) store.Option { return option(attach.Timeout(d)) }

// Client makes the store use a client of the program's own, which stays the program's: it
// is never closed here. Addresses, TLS and login are then that client's.
func Client(client *clientv3.Client) store.Option { return option(attach.Client(client)) }

// Registry makes the store use the connection and the namespace of a registry in etcd.
// Addresses, TLS, login and timeout are then the registry's. The registry stays the
// program's; close it last.
func Registry(r registry.Registry) store.Option { return option(attach.Registry(r)) }
