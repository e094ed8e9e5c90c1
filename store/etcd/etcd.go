// Package etcd is a store in etcd. A record is one key,
// /micro/rollcall/store/<database>/<table>/<key> behind the Namespace, with the value and
// the metadata as JSON; its version is etcd's revision of the key.
//
// A record that ends does so with a lease, whose time etcd counts: in whole seconds, and
// at least about two of them. When it ends is told by the clock of who wrote it.
//
// Reads and writes are linearizable. An operation that etcd does not answer in time
// returns an error; a write may then be there all the same.
package etcd

import (
	"context"
	"fmt"
	"sync"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/attach"
	"github.com/rollcall-go/micro/internal/storage"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/store"
)

// etcdStore has no goroutine beside those of its connection, which Close ends.
type etcdStore struct {
	mu       sync.Mutex
	options  store.Options
	attached attach.Attached
	err      error // what makes the store unusable for ever
}

var _ store.Versioned = (*etcdStore)(nil)

// NewStore returns a store in the etcd at store.Nodes, by default 127.0.0.1:2379. It does
// no I/O and starts nothing; a malformed address is reported by every method. Close ends
// the connection.
func NewStore(opts ...store.Option) store.Store {
	s := &etcdStore{options: store.Options{Database: storage.DefaultName, Table: storage.DefaultName}}
	for _, o := range opts {
		o(&s.options)
	}
	s.open()
	return s
}

// Init applies options. The connection is made anew: operations that are under way fail.
func (s *etcdStore) Init(opts ...store.Option) error {
	if len(opts) == 0 {
		return s.usable()
	}
	s.mu.Lock()
	former := s.attached
	for _, o := range opts {
		o(&s.options)
	}
	s.open()
	s.mu.Unlock()
	_ = former.Close() // nothing is left to be done about it
	return s.usable()
}

// open makes the connection that the options ask for. s.mu is held, or nobody has s yet.
func (s *etcdStore) open() {
	s.attached, s.err = attach.Open(s.options.Context, s.options.Nodes, func(text string) { logger.Logf(logger.WarnLevel, "Store [etcd] %s", text) })
}

func (s *etcdStore) usable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// table returns the connection and the prefix of a table, as the options in force say.
func (s *etcdStore) table(database, table string) (conn *etcd.Conn, prefix string, err error) {
	s.mu.Lock()
	options, attached, err := s.options, s.attached, s.err
	s.mu.Unlock()
	if err != nil {
		return nil, "", err
	}
	conn, keys := attached.Conn()
	scope := storage.ScopeOf(options, database, table)
	return conn, keys.Stored(scope.Database, scope.Table), nil
}

func (s *etcdStore) Options() store.Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options
}

// Close ends the connection, unless it is a registry's. Operations fail from then on.
func (s *etcdStore) Close() error {
	s.mu.Lock()
	attached := s.attached
	if s.err == nil {
		s.err = fmt.Errorf("use the store: %w", etcd.ErrClosed)
	}
	s.mu.Unlock()
	return attached.Close()
}

func (s *etcdStore) String() string { return "etcd" }

// background is the context of operations, which the contract gives none: the connection
// bounds each by its timeout.
func background() context.Context { return context.Background() }
