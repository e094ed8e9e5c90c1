package etcd

import (
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// etcdSettings are the options of this backend alone, beside credentials.Credentials and
// layout.Layout. All travel as values in Options.Context.
type etcdSettings struct {
	zap    *zap.Config
	client *clientv3.Client
}

// setting returns an option that changes one of the settings in T.
func setting[T any](change func(*T)) registry.Option {
	return func(o *registry.Options) {
		s, _ := settings.Of[T](o.Context)
		change(&s)
		o.Context = settings.With(o.Context, s)
	}
}

// Auth makes the registry log in. Both must be given; with one of them empty
// there is no login.
func Auth(username, password string) registry.Option {
	return setting(func(a *credentials.Credentials) { a.Username, a.Password, a.PasswordFile = username, password, "" })
}

// AuthFile makes the registry log in with the password that stands in a file, whose
// last line break does not count. The file is read at each login, so that a password
// that is replaced there is the one that counts from then on. While it cannot be
// read, what it held before does.
func AuthFile(username, passwordFile string) registry.Option {
	return setting(func(a *credentials.Credentials) { a.Username, a.Password, a.PasswordFile = username, "", passwordFile })
}

// TLSFiles switches TLS on with certificates in PEM files: those of the authorities
// that are trusted, and the one to show with its private key. Each may be empty, but
// cert and key come together; without ca the authorities of the system are trusted.
//
// The files are read at each new connection, so that renewed certificates need no
// restart. A file that cannot be used then, such as a certificate whose key is not
// written yet, is named in a warning, and what it held before stays in force. What
// else registry.TLSConfig says, such as a ServerName, holds beside it.
func TLSFiles(ca, cert, key string) registry.Option {
	return setting(func(a *credentials.Credentials) { a.TLSFiles = reload.Files{CA: ca, Cert: cert, Key: key} })
}

// Namespace puts "/name" before every key that the registry reads or writes, so
// that fleets that share an etcd stay apart: who registers in one namespace is
// never found from another, nor from none. name may have letters, digits, "-", "_"
// and "." only; others make the registry unusable, as every method then says. ""
// is where go-micro v2 is.
func Namespace(name string) registry.Option {
	return setting(func(l *layout.Layout) { l.Namespace = name })
}

// LogConfig sets the log of the etcd client. Without it, or with nil, the client
// is silent.
func LogConfig(config *zap.Config) registry.Option {
	return setting(func(s *etcdSettings) { s.zap = config })
}

// Client makes the registry use a client of the program's own, which stays the
// program's: it is never closed here. Addresses, TLS and Auth are then those that
// the client was made with.
func Client(client *clientv3.Client) registry.Option {
	return setting(func(s *etcdSettings) { s.client = client })
}
