package conn

import (
	"time"

	"github.com/rollcall-go/micro/internal/endpoint"
)

// sweepsPerDelay and sweepsPerIdle are how often a sweep comes within
// Options.CloseDelay after a change, and within Options.Idle otherwise.
const (
	sweepsPerDelay = 4
	sweepsPerIdle  = 10
)

// sweep closes, from time to time, the connections that nobody needs.
func (s *Set) sweep() {
	soon, later := s.opts.CloseDelay/sweepsPerDelay, s.opts.Idle/sweepsPerIdle
	timer := time.NewTimer(soon)
	defer timer.Stop()
	due := s.now() + soon
	for {
		select {
		case <-s.done:
			return
		case <-s.wake:
			if now := s.now(); now+soon < due {
				due = now + soon
				timer.Reset(soon)
			}
		case <-timer.C:
			wait := later
			leaving, streams := s.pass()
			if streams {
				wait = min(wait, s.opts.Pulse)
			}
			if leaving {
				wait = min(soon, wait)
			}
			due = s.now() + wait
			timer.Reset(wait)
		}
	}
}

// pass closes what is not needed any more, and looks after streams that rest. It
// reports whether there are connections that will have to be closed soon, and whether
// there are such streams.
func (s *Set) pass() (leaving, streams bool) {
	now := s.now()
	s.clock.Store(int64(now))
	var listed map[endpoint.Endpoint]bool
	if s.opts.Listed != nil {
		listed = map[endpoint.Endpoint]bool{}
		for e := range s.opts.Listed {
			listed[key(e)] = true
		}
	}

	var ended []*wire
	s.mu.Lock()
	for e, c := range s.conns {
		c.mu.Lock()
		streams = c.feel(now) || streams
		needed := now-time.Duration(c.used.Load()) < s.opts.Idle
		left := false
		switch {
		case listed == nil || listed[e] || c.direct.Load():
			c.absent = 0
		case c.absent == 0:
			c.absent, leaving = now, true
		default: // a node that is back within half the time keeps its connection
			leaving, left = true, true
			needed = needed && now-c.absent < s.opts.CloseDelay/2
		}
		if !needed {
			ended = append(ended, c.closeUnused()...)
			if len(c.wires) == 0 && (left || c.direct.Load()) { // no snapshot holds c
				delete(s.conns, e)
			}
		}
		c.mu.Unlock()
	}
	s.mu.Unlock()
	for _, w := range ended {
		w.close()
	}
	return leaving, streams
}

// closeUnused takes the wires without calls from c and returns them, to be closed.
// The caller holds c.mu.
func (c *Conn) closeUnused() (unused []*wire) {
	kept := c.wires[:0:0]
	for _, w := range c.wires {
		if w.tryClose() {
			unused = append(unused, w)
		} else {
			kept = append(kept, w)
		}
	}
	c.keep(kept)
	return unused
}

// keep makes wires those of c, and one that serves the current one, if the current
// one is not among them. The caller holds c.mu.
func (c *Conn) keep(wires []*wire) {
	c.wires = wires
	current := c.current.Load()
	var other *wire
	for _, w := range wires {
		if w == current {
			return
		}
		if other == nil || other.retired {
			other = w
		}
	}
	c.current.Store(other)
	c.silent.Store(false)
	if other != nil {
		other.retired = false
	}
}
