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
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/logger"
)

// etcdSource has a session while somebody watches or reads it, and nothing otherwise.
type etcdSource struct {
	opts    source.Options
	given   given
	keys    keys
	timeout time.Duration
	err     error // what is permanently wrong with the options

	mu      sync.Mutex
	users   int // of the session
	session *session
	last    source.Status // of the session before
}

var (
	_ source.Source   = (*etcdSource)(nil)
	_ source.Reporter = (*etcdSource)(nil)
)

// NewSource returns the source. It does no I/O; what is wrong with the options is
// returned by Read and Watch.
//
// A connection is made while the source is watched or read, and closed when the last
// Watcher is stopped.
func NewSource(opts ...source.Option) source.Source {
	options := source.NewOptions(opts...)
	g, _ := settings.Of[given](options.Context)
	s := &etcdSource{opts: options, given: g, timeout: cmp.Or(g.timeout, defaults.ConfigReadTimeout)}
	s.keys = keys{prefix: DefaultPrefix, strip: g.strip, layers: g.layers}
	if g.prefix != nil {
		s.keys.prefix = *g.prefix
	}
	if s.err = (layout.Layout{Namespace: g.namespace}).Check(); s.err == nil && g.namespace != "" {
		s.keys.namespace = "/" + g.namespace
	}
	return s
}

// connected is the registry in etcd.
type connected interface {
	Conn() *etcd.Conn
}

func (s *etcdSource) String() string { return "etcd" }

func (s *etcdSource) Write(*source.ChangeSet) error { return source.ErrReadOnly }

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

// enter returns the session, and makes one for the first user. Whoever entered leaves.
func (s *etcdSource) enter() (*session, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		shared, ok := ability.As[connected](s.given.registry)
		if s.given.registry != nil && !ok {
			return nil, fmt.Errorf("use the connection of a registry: %q is not in etcd: give Registry one that is, or none", s.given.registry)
		}
		s.session = newSession(s, shared)
	}
	s.users++
	return s.session, nil
}

// leave ends the session with its last user, and waits until it has ended.
func (s *etcdSource) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users > 0 {
		return
	}
	s.session.end()
	s.last = s.session.status()
	s.session = nil
}

// Read returns what etcd holds now. It fails if etcd does not answer within the
// timeout, or at once if somebody has to mend why.
func (s *etcdSource) Read() (*source.ChangeSet, error) {
	session, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave()
	ctx, cancel := context.WithTimeout(session.ctx, s.timeout)
	defer cancel()
	var now *clientv3.GetResponse
	err = session.conn().Do(ctx, "read configuration", func(ctx context.Context, client *clientv3.Client) (err error) {
		now, err = client.Get(ctx, s.keys.all(), clientv3.WithPrefix(), clientv3.WithKeysOnly())
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := session.reach(ctx, now); err != nil {
		return nil, err
	}
	return session.changeSet()
}

// Watch returns a Watcher, whose first Next returns what etcd holds once it is known,
// if that was not known yet. Stop waits until the connection is closed if this was the
// last Watcher.
func (s *etcdSource) Watch() (source.Watcher, error) {
	session, err := s.enter()
	if err != nil {
		return nil, err
	}
	return &watcher{source: s, session: session, seen: session.now(), stopped: make(chan struct{})}, nil
}

// Status says whether etcd is followed, and which values are refused.
func (s *etcdSource) Status() source.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil {
		return s.session.status()
	}
	last := s.last
	last.Source, last.Live, last.Err = "etcd", false, s.err
	return last
}

// watcher is a Watcher of the source.
type watcher struct {
	source  *etcdSource
	session *session
	stopped chan struct{}
	once    sync.Once

	seen uint64 // the state that Next told; used by Next alone
}

func (w *watcher) Next() (*source.ChangeSet, error) {
	for {
		select {
		case <-w.stopped:
			return nil, source.ErrWatcherStopped
		default:
		}
		state, changed := w.session.wait()
		if state != w.seen {
			w.seen = state
			return w.session.changeSet()
		}
		select {
		case <-w.stopped:
			return nil, source.ErrWatcherStopped
		case <-changed:
		}
	}
}

func (w *watcher) Stop() error {
	w.once.Do(func() {
		close(w.stopped)
		w.source.leave()
	})
	return nil
}
