// Package consul is the source of configuration in Consul's key-value store: each key
// below a prefix spells the path of a value, as micro/config/database/host does, in the
// layout of go-micro v2's plugin.
//
// Values are JSON, or what the Encoder of the options reads. A value that cannot be
// read is refused: the last one of that key that could stays in force, and the log
// names it. A prefix without keys is an empty configuration that may fill later. While
// Consul is away the configuration stays as it was.
package consul

import (
	"context"
	"strings"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/logger"
)

type consulSource struct {
	opts  source.Options
	given given
	keys  keytree.Keys
	users *keytree.Users[*session]
}

var (
	_ source.Source   = (*consulSource)(nil)
	_ source.Reporter = (*consulSource)(nil)
	_ source.Locator  = (*consulSource)(nil)
)

// NewSource returns the source. It does no I/O; what is wrong with the options is
// returned by Read and Watch. Connections are made while the source is watched or read.
func NewSource(opts ...source.Option) source.Source {
	options := source.NewOptions(opts...)
	g, _ := settings.Of[given](options.Context)
	prefix := DefaultPrefix
	if g.prefix != nil {
		prefix = *g.prefix
	}
	s := &consulSource{opts: options, given: g, keys: keytree.Keys{Prefix: strings.TrimPrefix(prefix, "/"), Strip: g.strip, Layers: g.layers}}
	s.users = keytree.NewUsers(s.start)
	return s
}

func (s *consulSource) String() string { return "consul" }

func (s *consulSource) Write(*source.ChangeSet) error { return source.ErrReadOnly }

// start begins to follow Consul.
func (s *consulSource) start() (*session, error) {
	client := consul.Open(consul.Config{
		Addrs: s.given.addrs, TLS: s.given.tls, Credentials: s.given.access, Datacenter: s.given.datacenter,
		Timeout: defaults.ConfigReadTimeout,
		Warn:    func(text string) { logger.Logf(logger.WarnLevel, "Config [consul] %s", text) },
	})
	if err := client.Err(); err != nil {
		return nil, err
	}
	return newSession(client, s.keys, s.opts.Encoder), nil
}

// Read returns what Consul holds now. It fails if no agent answers within 4 seconds.
func (s *consulSource) Read() (*source.ChangeSet, error) {
	session, err := s.users.Enter()
	if err != nil {
		return nil, err
	}
	defer s.users.Leave()
	ctx, cancel := context.WithTimeout(session.ctx, defaults.ConfigReadTimeout)
	defer cancel()
	if _, err := session.read(ctx, 0); err != nil {
		return nil, err
	}
	return session.board.ChangeSet()
}

// Watch returns a Watcher, whose first Next returns what Consul holds once it is known,
// if that was not known yet.
func (s *consulSource) Watch() (source.Watcher, error) { return s.users.Watch() }

// Status says whether Consul is followed, and which values are refused.
func (s *consulSource) Status() source.Status {
	status := s.users.Status()
	status.Source = s.String()
	return status
}

// Locate returns which key of Consul gives the value at a path.
func (s *consulSource) Locate(path ...string) (key string, revision int64, ok bool) {
	return s.users.Locate(path...)
}
