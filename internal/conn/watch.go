package conn

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// looksPerSilence is how often a connection is looked at within Options.Silence
	// while calls come and go on it, and calmLooks while all that are there have waited
	// for long.
	looksPerSilence = 100
	calmLooks       = 20
	// longestLook is how many times the time between two looks counts at most. When
	// this process did not run, be it stopped or short of processors, it is not the
	// node's fault that nothing was heard.
	longestLook = 3
)

// watching are the connections that have calls, or had when last looked at.
type watching struct {
	wake chan struct{} // holds one token: there is something to watch

	// clock is the time spent watching, in nanoseconds. Silence is measured by it.
	clock atomic.Int64

	mu    sync.Mutex // guards what follows
	conns []*Conn
	calm  bool // looks are few
}

// beginWatch makes c one of those that are watched.
func (s *Set) beginWatch(c *Conn) {
	w := &s.watching
	w.mu.Lock()
	begins := c.watched.CompareAndSwap(false, true)
	if begins {
		w.conns = append(w.conns, c)
	}
	waits := begins && (len(w.conns) == 1 || w.calm)
	w.mu.Unlock()
	if waits {
		wake(w.wake)
	}
}

// watch looks for connections that fell silent. It sleeps while there are no calls.
func (s *Set) watch() {
	most := s.opts.CloseDelay / sweepsPerDelay
	often, seldom := min(s.opts.Silence/looksPerSilence, most), min(s.opts.Silence/calmLooks, most)
	interval := often
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if s.watching.empty() {
			ticker.Stop()
			select {
			case <-s.done:
				return
			case <-s.watching.wake:
			}
			interval = often
			ticker.Reset(interval)
		}
		last := s.now()
		select {
		case <-s.done:
			return
		case <-s.watching.wake: // by a connection that had no calls
		case <-ticker.C:
		}
		passed := min(s.now()-last, longestLook*interval)
		before := interval
		if interval = often; s.look(time.Duration(s.watching.clock.Add(int64(passed)))) {
			interval = seldom
		}
		if interval != before {
			ticker.Reset(interval)
		}
	}
}

// look inspects what is watched. It reports whether the next look has time.
func (s *Set) look(now time.Duration) (calm bool) {
	w := &s.watching
	w.mu.Lock()
	conns := w.conns
	w.mu.Unlock()
	var still []*Conn
	calm = true
	for _, c := range conns {
		ended, more, settled := c.inspect(now)
		for _, w := range ended {
			s.wg.Go(w.close) // which may take as long as the socket's last write
		}
		calm = calm && settled
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
	defer w.mu.Unlock()
	w.calm = calm && len(w.conns) == len(conns)
	w.conns = append(still, w.conns[len(conns):]...)
	return w.calm
}

// inUse reports whether there is a call on the current wire that waits for an answer.
func (c *Conn) inUse() bool {
	w := c.current.Load()
	return w != nil && w.unanswered() > 0
}

func (w *watching) empty() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.conns) == 0
}
