// Package memory is a Sync in this process: for tests, and for what goroutines of one process
// exclude one another from.
//
// Nobody can die who holds such a lock, and it is held until it is released. With
// sync.LockTTL it is lost after that time, whatever its holder does, as in go-micro v2.
package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	gosync "sync"
	"time"

	"github.com/rollcall-go/micro/internal/ending"
	"github.com/rollcall-go/micro/sync"
)

type memory struct {
	mu      gosync.Mutex
	options sync.Options
	token   int64              // that was given last
	lines   map[string][]*held // the first of each holds, the others wait
	locks   map[string]*held   // that Lock got last
}

// held is a place in a line.
type held struct {
	of     *memory
	name   string
	ttl    time.Duration // 0: for ever
	turn   chan struct{} // closed when it holds
	ending *ending.Ending

	// What follows is guarded by of.mu.
	token int64
	timer *time.Timer // ends it; nil without a TTL
}

var (
	_ sync.Fencing = (*memory)(nil)
	_ sync.Held    = (*held)(nil)
	_ sync.Leader  = (*held)(nil)
)

// NewSync returns a Sync of which all locks are free. Two of them know nothing of each other.
func NewSync(opts ...sync.Option) sync.Sync {
	m := &memory{lines: make(map[string][]*held), locks: make(map[string]*held)}
	_ = m.Init(opts...) // nothing in it can fail
	return m
}

func (m *memory) Init(opts ...sync.Option) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range opts {
		o(&m.options)
	}
	return nil
}

func (m *memory) Options() sync.Options {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.options
}

func (m *memory) String() string { return "memory" }

func (m *memory) Acquire(ctx context.Context, id string, opts ...sync.LockOption) (sync.Held, error) {
	h, err := m.acquire(ctx, id, opts)
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (m *memory) acquire(ctx context.Context, id string, opts []sync.LockOption) (*held, error) {
	var o sync.LockOptions
	for _, opt := range opts {
		opt(&o)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("lock %q: %w", id, context.Cause(ctx)) // even where the lock is free
	}
	if o.Wait > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, o.Wait, sync.ErrLockTimeout)
		defer stop()
	}
	h := m.join(id, o.TTL)
	select {
	case <-h.turn:
		return h, nil
	case <-ctx.Done():
	}
	m.leave(h, sync.ErrReleased)
	if why := context.Cause(ctx); !errors.Is(why, sync.ErrLockTimeout) {
		return nil, fmt.Errorf("lock %q: %w", id, why)
	}
	return nil, sync.ErrLockTimeout
}

// join gets a place at the end of a line.
func (m *memory) join(id string, ttl time.Duration) *held {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := &held{of: m, name: m.options.Prefix + id, ttl: max(ttl, 0), turn: make(chan struct{}), ending: ending.New()}
	m.lines[h.name] = append(m.lines[h.name], h)
	if m.lines[h.name][0] == h {
		m.begin(h)
	}
	return h
}

// begin gives the lock to whoever is the first. m.mu is held.
func (m *memory) begin(h *held) {
	m.token++
	h.token = m.token
	if h.ttl > 0 {
		h.timer = time.AfterFunc(h.ttl, func() { m.leave(h, fmt.Errorf("%w: it was held for %v", sync.ErrLost, h.ttl)) })
	}
	close(h.turn)
}

// leave takes a place out of its line, and gives the lock on if it was held.
func (m *memory) leave(h *held, why error) {
	h.ending.End(why)
	m.mu.Lock()
	defer m.mu.Unlock()
	line := m.lines[h.name]
	at := slices.Index(line, h)
	if at < 0 {
		return
	}
	if h.timer != nil {
		h.timer.Stop()
	}
	line = slices.Delete(line, at, at+1)
	if len(line) == 0 {
		delete(m.lines, h.name)
		return
	}
	m.lines[h.name] = line
	if at == 0 {
		m.begin(line[0])
	}
}

func (m *memory) Lock(id string, opts ...sync.LockOption) error {
	h, err := m.acquire(context.Background(), id, opts) // LockWait bounds it, as the contract says
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.locks[id] = h
	return nil
}

func (m *memory) Unlock(id string) error {
	m.mu.Lock()
	h := m.locks[id]
	delete(m.locks, id)
	m.mu.Unlock()
	if h == nil {
		return fmt.Errorf("unlock %q: %w", id, sync.ErrNotHeld)
	}
	return h.Resign()
}

func (m *memory) Leader(id string, _ ...sync.LeaderOption) (sync.Leader, error) {
	h, err := m.acquire(context.Background(), id, nil) // waits until it leads, as the contract says
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (h *held) Token() int64          { return h.token }
func (h *held) Lost() <-chan struct{} { return h.ending.Done() }
func (h *held) Err() error            { return h.ending.Err() }
func (h *held) Status() chan bool     { return h.ending.Status() }
func (h *held) Resign() error         { return h.Release(context.Background()) } // which does not wait

func (h *held) Release(context.Context) error {
	h.of.leave(h, sync.ErrReleased)
	if err := h.ending.Err(); !errors.Is(err, sync.ErrReleased) {
		return fmt.Errorf("release %q: %w", h.name, err)
	}
	return nil
}
