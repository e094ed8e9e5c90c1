// Package etcd is a Sync whose locks are in etcd, where those of go-micro v2 are: programs of
// both stand in one line, in the order in which they came.
//
// A lock is held under a lease that the holder renews. After sync.LockTTL, 15 seconds by
// default, without a renewal it is lost: the holder is told so, and then the next in line
// gets it. Waiting for a lock goes on through an outage of etcd.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	gosync "sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/attach"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/etcd/lock"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/sync"
)

// etcdSync has no goroutines beside those of its connection and of its locks, which Close
// ends.
type etcdSync struct {
	mu       gosync.Mutex
	options  sync.Options
	attached attach.Attached
	err      error                   // what makes it unusable for ever
	locks    map[string]*lock.Hold   // that Lock got last, by name
	all      map[*lock.Hold]struct{} // that are held
	waiting  gosync.WaitGroup        // Acquire
	leaving  gosync.WaitGroup        // what is being taken back
	closed   context.Context         // ends with Close
	end      context.CancelFunc
}

var (
	_ sync.Fencing = (*etcdSync)(nil)
	_ io.Closer    = (*etcdSync)(nil)
)

// NewSync returns a Sync in the etcd at sync.Nodes, by default 127.0.0.1:2379. It does no I/O
// and starts nothing; a malformed address is reported by every method. Close, of io.Closer,
// releases what is held and ends the connection.
func NewSync(opts ...sync.Option) sync.Sync {
	s := &etcdSync{locks: make(map[string]*lock.Hold), all: make(map[*lock.Hold]struct{})}
	s.closed, s.end = context.WithCancel(context.Background()) // ended by Close
	for _, o := range opts {
		o(&s.options)
	}
	s.open()
	return s
}

// open makes the connection that the options ask for. s.mu is held, or nobody has s yet.
func (s *etcdSync) open() {
	s.attached, s.err = attach.Open(s.options.Context, s.options.Nodes, func(text string) { logger.Logf(logger.WarnLevel, "Sync [etcd] %s", text) })
}

// Init applies options. Those that say where etcd is make the connection anew: what is held
// is then lost.
func (s *etcdSync) Init(opts ...sync.Option) error {
	s.mu.Lock()
	before := s.options
	for _, o := range opts {
		o(&s.options)
	}
	var former attach.Attached
	if s.closed.Err() == nil && (!slices.Equal(before.Nodes, s.options.Nodes) || !ability.Same(before.Context, s.options.Context)) {
		former = s.attached
		s.open()
	}
	err := s.err
	s.mu.Unlock()
	_ = former.Close() // nothing is left to be done about it
	return err
}

func (s *etcdSync) Options() sync.Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options
}

func (s *etcdSync) String() string { return "etcd" }

func (s *etcdSync) Acquire(ctx context.Context, id string, opts ...sync.LockOption) (sync.Held, error) {
	h, err := s.acquire(ctx, id, opts)
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (s *etcdSync) acquire(ctx context.Context, id string, opts []sync.LockOption) (*lock.Hold, error) {
	var o sync.LockOptions
	for _, opt := range opts {
		opt(&o)
	}
	s.mu.Lock()
	name, attached, err := s.options.Prefix+id, s.attached, s.err
	if err == nil {
		s.waiting.Add(1)
		defer s.waiting.Done()
	}
	s.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", id, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closed, cancel)()
	if o.Wait > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, o.Wait, sync.ErrLockTimeout)
		defer stop()
	}
	conn, keys := attached.Conn()
	line, err := keys.Line(name)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // whoever looks at the line is told no more
	}
	spec := lock.Spec{
		Name: name, Line: line, TTL: defaults.LockTTL, Leaving: &s.leaving,
		Value: layout.PlaceRecord{Host: host, PID: os.Getpid(), At: time.Now().UTC()}.Encode(),
	}
	if o.TTL > 0 {
		spec.TTL = o.TTL
	}
	h, err := lock.Acquire(ctx, conn, spec)
	switch {
	case s.closed.Err() != nil && err != nil:
		return nil, fmt.Errorf("lock %q: %w", id, etcd.ErrClosed)
	case errors.Is(err, sync.ErrLockTimeout):
		return nil, sync.ErrLockTimeout
	case err != nil:
		return nil, err
	}
	s.mu.Lock()
	s.all[h] = struct{}{}
	s.mu.Unlock()
	h.Ended(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, h)
	})
	return h, nil
}

func (s *etcdSync) Lock(id string, opts ...sync.LockOption) error {
	h, err := s.acquire(background(), id, opts)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locks[id] = h
	return nil
}

func (s *etcdSync) Unlock(id string) error {
	s.mu.Lock()
	h := s.locks[id]
	delete(s.locks, id)
	s.mu.Unlock()
	if h == nil {
		return fmt.Errorf("unlock %q: %w", id, sync.ErrNotHeld)
	}
	return h.Release(background())
}

func (s *etcdSync) Leader(id string, _ ...sync.LeaderOption) (sync.Leader, error) {
	h, err := s.acquire(background(), id, nil)
	if err != nil {
		return nil, err
	}
	return leader{h}, nil
}

// Close releases what is held, ends the waiting of others, and the connection unless it is a
// registry's. What etcd does not confirm in time ends by itself.
func (s *etcdSync) Close() error {
	s.mu.Lock()
	if s.err == nil {
		s.err = etcd.ErrClosed
	}
	s.end() // before an Init could make another connection
	attached := s.attached
	s.mu.Unlock()
	s.waiting.Wait()
	s.mu.Lock()
	var all []*lock.Hold
	for h := range s.all {
		all = append(all, h)
	}
	s.mu.Unlock()
	var releasing gosync.WaitGroup
	for _, h := range all {
		releasing.Go(func() { _ = h.Release(background()) })
	}
	releasing.Wait()
	s.leaving.Wait()
	return attached.Close()
}

// leader is what a process leads by.
type leader struct{ *lock.Hold }

var _ sync.Held = leader{}

func (l leader) Resign() error { return l.Release(background()) }

// background is the context of what the contract gives none: the connection bounds each
// request by its timeout, and Close ends the waiting.
func background() context.Context { return context.Background() }
