package conn

import (
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
)

// Set holds the connections that a client makes with one set of credentials, one
// per address. Its methods are safe for concurrent use.
type Set struct {
	opts    Options
	started time.Time
	clock   atomic.Int64  // time since started at the last sweep, in nanoseconds
	wake    chan struct{} // holds one token: a sweep is wanted soon
	done    chan struct{}
	wg      sync.WaitGroup

	mu     sync.RWMutex // guards what follows
	conns  map[string]*Conn
	closed bool
	swept  bool // the sweeper runs
}

// New returns a set without connections. Nothing is started before the first one
// is made. Close it when it is no longer needed.
func New(opts Options) *Set {
	return &Set{
		opts:    opts.withDefaults(),
		started: time.Now(),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		conns:   map[string]*Conn{},
	}
}

// Node returns the connection to the address of a node. It begins to connect
// with the first call, and is closed after the node left. An error is a
// [ConnectError].
func (s *Set) Node(address string) (*Conn, error) { return s.get(address, false) }

// Direct returns the connection to an address that the program named. It is the
// same one that a node at that address has, but it is closed only when idle.
func (s *Set) Direct(address string) (*Conn, error) { return s.get(address, true) }

// State returns the state of the connection to the address, Idle if there is
// none.
func (s *Set) State(address string) connectivity.State {
	s.mu.RLock()
	c := s.conns[address]
	s.mu.RUnlock()
	if c == nil {
		return connectivity.Idle
	}
	return c.State()
}

func (s *Set) get(address string, direct bool) (*Conn, error) {
	s.mu.RLock()
	c := s.conns[address]
	s.mu.RUnlock()
	if c == nil {
		var err error
		if c, err = s.add(address); err != nil {
			return nil, err
		}
	}
	if direct && !c.direct.Load() {
		c.direct.Store(true)
	}
	return c, nil
}

func (s *Set) add(address string) (*Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &ConnectError{Address: address, Err: ErrClosed}
	}
	if c := s.conns[address]; c != nil {
		return c, nil
	}
	c := &Conn{set: s, address: address}
	c.used.Store(s.clock.Load())
	cc, err := grpc.NewClient(scheme+":///"+url.PathEscape(address), s.opts.dial(resolve{c})...)
	if err != nil {
		return nil, &ConnectError{Address: address, Err: err}
	}
	c.cc = cc
	if !s.swept {
		s.swept = true
		s.wg.Go(s.sweep)
	}
	s.conns[address] = c
	s.Recheck() // the node may have left already
	return c, nil
}

// Recheck says that the addresses of Options.Listed may have changed. It returns
// at once.
func (s *Set) Recheck() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Close closes all connections, also those in use, and waits until what was
// started here has ended.
func (s *Set) Close() {
	s.mu.Lock()
	conns := s.conns
	s.conns = map[string]*Conn{}
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.calls.Add(closed)
		c.close()
	}
	s.wg.Wait()
}
