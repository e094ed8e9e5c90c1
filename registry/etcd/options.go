package etcd

import (
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// etcdSettings are the options of this backend alone. They travel as a value in
// Options.Context.
type etcdSettings struct {
	username, password string
	zap                *zap.Config
	client             *clientv3.Client
}

// setting returns an option that changes one of the settings.
func setting(change func(*etcdSettings)) registry.Option {
	return func(o *registry.Options) {
		s, _ := settings.Of[etcdSettings](o.Context)
		change(&s)
		o.Context = settings.With(o.Context, s)
	}
}

// Auth makes the registry log in. Both must be given; with one of them empty
// there is no login.
func Auth(username, password string) registry.Option {
	return setting(func(s *etcdSettings) { s.username, s.password = username, password })
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
