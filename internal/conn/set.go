package conn

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/endpoint"
)

// Set holds the connections of a client, one per endpoint. Its methods are safe for
// concurrent use.
type Set struct {
	opts    Options
	started time.Time
	reading *endpoint.Clock
	clock   atomic.Int64  // time since started at the last sweep, in nanoseconds
	wake    chan struct{} // holds one token: a sweep is wanted soon
	done    chan struct{} // closed by Close
	wg      sync.WaitGroup

	mu     sync.RWMutex                // guards what follows
	conns  map[endpoint.Endpoint]*Conn // by key
	closed bool
	swept  bool // sweep runs

	watching watching
}

var _ endpoint.Transport = (*Set)(nil)

// New returns a set without connections. Nothing is started before the first one
// is made. Close it when it is no longer needed.
func New(opts Options) *Set {
	return &Set{
		opts:     opts.withDefaults(),
		started:  time.Now(),
		reading:  endpoint.NewClock(),
		wake:     make(chan struct{}, 1),
		done:     make(chan struct{}),
		conns:    map[endpoint.Endpoint]*Conn{},
		watching: watching{wake: make(chan struct{}, 1)},
	}
}

// Node returns the connection to a node. It begins to connect with the first call,
// and is closed after the node left. An error is an [endpoint.ConnectError].
func (s *Set) Node(e endpoint.Endpoint) (endpoint.Conn, error) { return s.conn(e, false) }

// Direct returns the connection to an endpoint that the program named. It is the
// same one that a node there has, but it is closed only when idle.
func (s *Set) Direct(e endpoint.Endpoint) (endpoint.Conn, error) { return s.conn(e, true) }

// key returns e without what makes no other connection of it.
func key(e endpoint.Endpoint) endpoint.Endpoint {
	e.Pings, e.Says = false, ""
	return e
}

func (s *Set) conn(named endpoint.Endpoint, direct bool) (*Conn, error) {
	e := key(named)
	s.mu.RLock()
	c, ended := s.conns[e], s.closed
	s.mu.RUnlock()
	if ended {
		return nil, &endpoint.ConnectError{Address: e.Host, Err: endpoint.ErrClosed}
	}
	if c == nil {
		s.mu.Lock()
		if c = s.conns[e]; c == nil {
			c = &Conn{set: s, endpoint: e}
			c.load.Measure(s.reading)
			s.conns[e] = c
		}
		s.mu.Unlock()
	}
	if direct && !c.direct.Load() {
		c.direct.Store(true)
	}
	if !direct && c.pings.Load() != named.Pings { // another node may have taken the address
		c.pings.Store(named.Pings)
	}
	return c, nil
}

// open calls f with the connection to c's endpoint, locked, and the wire where its
// calls go first, which it makes if there is none. The connection is c, unless
// another took its place in the set.
func (s *Set) open(c *Conn, f func(*Conn, *wire)) error {
	c.mu.Lock()
	if w := c.current.Load(); w != nil {
		defer c.mu.Unlock()
		f(c, w)
		return nil
	}
	c.mu.Unlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &endpoint.ConnectError{Address: c.endpoint.Host, Err: endpoint.ErrClosed}
	}
	if other := s.conns[c.endpoint]; other != nil {
		c = other
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.current.Load()
	if w == nil {
		var err error
		if w, err = c.addWire(); err != nil {
			return err
		}
		c.used.Store(s.clock.Load())
		c.silent.Store(false)
		c.current.Store(w)
		s.conns[c.endpoint] = c
		if !s.swept {
			s.swept = true
			s.wg.Go(s.sweep)
			s.wg.Go(s.watch)
		}
		s.Recheck() // the node may have left already
	}
	f(c, w)
	return nil
}

// Recheck says that the endpoints of Options.Listed may have changed. It returns
// at once.
func (s *Set) Recheck() { wake(s.wake) }

// wake puts the token into c, if it is not there.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// now is the time since the set was made.
func (s *Set) now() time.Duration { return time.Since(s.started) }

// Close closes all connections, also those in use, and waits until what was
// started here has ended.
func (s *Set) Close() {
	s.mu.Lock()
	conns := s.conns
	s.conns = map[endpoint.Endpoint]*Conn{}
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	s.mu.Unlock()
	for _, c := range conns {
		for _, w := range c.takeWires() {
			w.calls.Add(closed)
			w.close()
		}
	}
	s.wg.Wait()
}

// takeWires leaves c without wires.
func (c *Conn) takeWires() []*wire {
	c.mu.Lock()
	defer c.mu.Unlock()
	wires := c.wires
	c.wires = nil
	c.current.Store(nil)
	return wires
}
