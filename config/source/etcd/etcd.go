// Package etcd is the source of configuration in etcd: each key below a prefix spells
// the path of a value, as /micro/config/database/host does. The layout is that of
// go-micro v2.
//
// Values are JSON, or what the Encoder of the options reads. A value that cannot be
// read is refused: the last one of that key that could stays in force, and the log
// names key, revision and the place in the value. A prefix without keys is an empty
// configuration that may fill later.
//
// What is written by one transaction is seen as one change. While etcd is away the
// configuration stays as it was; afterwards it is as etcd has it, whatever happened
// meanwhile.
package etcd

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/claim"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/logger"
)

type etcdSource struct {
	opts    source.Options
	given   given
	keys    keytree.Keys
	timeout time.Duration
	users   *keytree.Users[*session]
	who     identity
	// rightAgain is after which time it is looked again whether grays may be read.
	rightAgain time.Duration
	applied    *application
}

var (
	_ source.Source    = (*etcdSource)(nil)
	_ source.Reporter  = (*etcdSource)(nil)
	_ source.Instanced = (*etcdSource)(nil)
	_ source.Locator   = (*etcdSource)(nil)
	_ source.Informed  = (*etcdSource)(nil)
	_ source.Leaver    = (*etcdSource)(nil)
)

// NewSource returns the source. It does no I/O; what is wrong with the options is
// returned by Read and Watch.
//
// A connection is made while the source is watched or read, and closed when the last
// Watcher is stopped.
func NewSource(opts ...source.Option) source.Source {
	options := source.NewOptions(opts...)
	g, _ := settings.Of[given](options.Context)
	s := &etcdSource{opts: options, given: g, timeout: cmp.Or(g.timeout, defaults.ConfigReadTimeout), rightAgain: time.Minute, applied: newApplication()}
	s.keys = keytree.Keys{Prefix: DefaultPrefix, Strip: g.strip, Layers: g.layers}
	if g.prefix != nil {
		s.keys.Prefix = *g.prefix
	}
	if g.namespace != "" {
		s.keys.Namespace = "/" + g.namespace
		if !strings.HasPrefix(s.keys.Prefix, "/") {
			s.keys.Prefix = "/" + s.keys.Prefix // a namespace ends where a part of the key does
		}
	}
	s.who.option, s.who.layers = g.instance, g.layersOf
	s.users = keytree.NewUsers(s.start)
	return s
}

// connected is the registry in etcd.
type connected interface {
	Conn() *etcd.Conn
	Keeper() *claim.Keeper
}

func (s *etcdSource) String() string { return "etcd" }

func (s *etcdSource) Write(*source.ChangeSet) error { return source.ErrReadOnly }

// SetInstance says who reads. What the options say of that counts more.
func (s *etcdSource) SetInstance(i source.Instance) {
	s.who.set(i)
	s.applied.change(func() { s.applied.left = nil })
}

// start begins to follow etcd.
func (s *etcdSource) start() (*session, error) {
	if err := (layout.Layout{Namespace: s.given.namespace}).Check(); err != nil {
		return nil, err
	}
	shared, ok := ability.As[connected](s.given.registry)
	if s.given.registry != nil && !ok {
		return nil, fmt.Errorf("use the connection of a registry: %q is not in etcd: give Registry one that is, or none", s.given.registry)
	}
	return newSession(s, shared), nil
}

// open makes a connection of the source's own.
func (s *etcdSource) open() *etcd.Conn {
	return etcd.Open(etcd.Config{
		Addrs:        s.given.addrs,
		TLS:          s.given.tls,
		TLSFiles:     s.given.access.TLSFiles,
		Username:     s.given.access.Username,
		Password:     s.given.access.Password,
		PasswordFile: s.given.access.PasswordFile,
		Timeout:      s.timeout,
		Client:       s.given.client,
		Warn:         func(text string) { logger.Logf(logger.WarnLevel, "Config [etcd] %s", text) },
	})
}

// Read returns what etcd holds now. It fails if etcd does not answer within the
// timeout, or at once if somebody has to mend why.
func (s *etcdSource) Read() (*source.ChangeSet, error) {
	session, err := s.users.Enter()
	if err != nil {
		return nil, err
	}
	defer s.users.Leave()
	ctx, cancel := context.WithTimeout(session.ctx, s.timeout)
	defer cancel()
	if err := session.catchUp(ctx); err != nil {
		return nil, err
	}
	return session.board.ChangeSet()
}

// Watch returns a Watcher, whose first Next returns what etcd holds once it is known,
// if that was not known yet. Stop waits until the connection is closed if this was the
// last Watcher.
func (s *etcdSource) Watch() (source.Watcher, error) { return s.users.Watch() }

// Status says whether etcd is followed, and which values are refused.
func (s *etcdSource) Status() source.Status {
	status := s.users.Status()
	status.Source = s.String()
	return status
}

// Locate returns which key in etcd gives the value at a path.
func (s *etcdSource) Locate(path ...string) (key string, revision int64, ok bool) {
	return s.users.Locate(path...)
}
