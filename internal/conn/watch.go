package conn

import (
	"sync"
	"time"
)

// looksPerSilence is how often a connection with calls is looked at within
// Options.Silence.
const looksPerSilence = 20

// watching are the connections that have calls, or had when last looked at.
type watching struct {
	wake chan struct{} // holds one token: there is something to watch

	mu    sync.Mutex // guards what follows
	conns []*Conn
}

// beginWatch makes c one of those that are watched.
func (s *Set) beginWatch(c *Conn) {
	w := &s.watching
	w.mu.Lock()
	begins := c.watched.CompareAndSwap(false, true)
	if begins {
		w.conns = append(w.conns, c)
	}
	first := begins && len(w.conns) == 1
	w.mu.Unlock()
	if first {
		wake(w.wake)
	}
}

// watch looks for connections that fell silent. It sleeps while there are no calls.
func (s *Set) watch() {
	pause := s.opts.Silence / looksPerSilence
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		if s.watching.empty() {
			ticker.Stop()
			select {
			case <-s.done:
				return
			case <-s.watching.wake:
			}
			ticker.Reset(pause)
		}
		last := s.now()
		select {
		case <-s.done:
			return
		case <-ticker.C:
		}
		now := s.now()
		s.look(now, now-last > s.opts.Silence/2)
	}
}

// look inspects what is watched. After a gap, in which this process did not run,
// nothing is concluded from what was not heard.
func (s *Set) look(now time.Duration, gap bool) {
	w := &s.watching
	w.mu.Lock()
	conns := w.conns
	w.mu.Unlock()
	var still []*Conn
	for _, c := range conns {
		if gap {
			c.rest(now)
		}
		ended, more := c.inspect(now)
		for _, w := range ended {
			s.wg.Go(w.close) // which may take as long as the socket's last write
		}
		if more {
			still = append(still, c)
			continue
		}
		c.watched.Store(false)
		if c.inUse() && c.watched.CompareAndSwap(false, true) { // since it was looked at
			still = append(still, c)
		}
	}
	w.mu.Lock()
	w.conns = append(still, w.conns[len(conns):]...)
	w.mu.Unlock()
}

// inUse reports whether there is a call on the current wire.
func (c *Conn) inUse() bool {
	w := c.current.Load()
	return w != nil && w.calls.Load() > 0
}

func (w *watching) empty() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.conns) == 0
}
