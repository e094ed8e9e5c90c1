package conn

import "time"

// sweepsPerDelay and sweepsPerIdle are how often a sweep comes within
// Options.CloseDelay after a change, and within Options.Idle otherwise.
const (
	sweepsPerDelay = 4
	sweepsPerIdle  = 10
)

// sweep closes, from time to time, the connections that nobody needs. It is the
// one goroutine of the set.
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
			if s.pass() {
				wait = min(soon, later)
			}
			due = s.now() + wait
			timer.Reset(wait)
		}
	}
}

// now is the time since the set was made.
func (s *Set) now() time.Duration { return time.Since(s.started) }

// pass closes what is not needed any more. It reports whether there are
// connections that will have to be closed soon.
func (s *Set) pass() (leaving bool) {
	now := s.now()
	s.clock.Store(int64(now))
	var listed map[string]bool
	if s.opts.Listed != nil {
		listed = map[string]bool{}
		for address := range s.opts.Listed {
			listed[address] = true
		}
	}

	var ended []*Conn
	s.mu.Lock()
	for address, c := range s.conns {
		needed := now-time.Duration(c.used.Load()) < s.opts.Idle
		switch {
		case listed == nil || listed[address] || c.direct.Load():
			c.absent = 0
		case c.absent == 0:
			c.absent, leaving = now, true
		default: // a node that is back within half the time keeps its connection
			leaving = true
			needed = needed && now-c.absent < s.opts.CloseDelay/2
		}
		if !needed && c.retire() {
			delete(s.conns, address)
			ended = append(ended, c)
		}
	}
	s.mu.Unlock()
	for _, c := range ended {
		c.close()
	}
	return leaving
}
