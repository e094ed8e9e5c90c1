package conn

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// looksPerSilence is how often a connection with calls is looked at within
	// Options.Silence.
	looksPerSilence = 20
	// longestLook is how many times the pause between two looks counts at most. When
	// this process did not run, be it stopped or short of processors, it is not the
	// node's fault that nothing was heard.
	longestLook = 4
)

// watching are the connections that have calls, or had when last looked at.
type watching struct {
	wake chan struct{} // holds one token: there is something to watch

	// clock is the time spent watching, in nanoseconds. Silence is measured by it.
	clock atomic.Int64

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
	pause := min(s.opts.Silence/looksPerSilence, s.opts.CloseDelay/sweepsPerDelay)
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
		passed := min(s.now()-last, longestLook*pause)
		s.look(time.Duration(s.watching.clock.Add(int64(passed))))
	}
}

// look inspects what is watched.
func (s *Set) look(now time.Duration) {
	w := &s.watching
	w.mu.Lock()
	conns := w.conns
	w.mu.Unlock()
	var still []*Conn
	for _, c := range conns {
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
