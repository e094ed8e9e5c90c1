package mdns

import (
	"fmt"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// openAgain is the wait between two attempts to open the transport.
const openAgain = time.Second

// Start opens the transport unless it is open. It fails when no link of this host
// takes multicast, and does not try more than once a second.
func (e *Engine) Start() error {
	e.opening.Lock()
	defer e.opening.Unlock()
	e.mu.Lock()
	closed, open, down := e.closed, e.transport != nil, e.down
	e.mu.Unlock()
	switch {
	case closed:
		return registry.ErrClosed
	case open:
		return down
	case time.Now().Before(e.retry):
		return e.failed
	}
	t, err := e.cfg.Open()
	if err != nil {
		e.failed, e.retry = err, time.Now().Add(openAgain)
		return err
	}
	e.mu.Lock()
	e.transport = t
	e.agenda.add(time.Now().Add(sweepEvery), e.sweep)
	e.mu.Unlock()
	e.loop.Go(func() { e.run(t) })
	return nil
}

// linksChanged begins anew on links that came, or takes note that there are none.
func (e *Engine) linksChanged(err error, now time.Time) {
	if (err == nil) != (e.down == nil) {
		e.downSince = now
	}
	e.down = err
	if err == nil {
		for _, p := range e.own {
			e.schedule(p, now)
		}
		for _, t := range e.browsed {
			e.restart(t, now)
		}
		if e.listing != nil {
			e.restart(e.listing, now)
		}
	}
	e.tell()
}

// Close says goodbye for every node and ends all. It may be called more than once.
func (e *Engine) Close() error { return e.end(e.goodbye) }

// Kill ends the engine as a crash would: without a goodbye.
func (e *Engine) Kill() error { return e.end(func(*published, time.Time) {}) }

func (e *Engine) end(leave func(*published, time.Time)) error {
	e.cancel()
	e.opening.Lock()
	defer e.opening.Unlock()
	e.mu.Lock()
	t := e.transport
	first := !e.closed
	e.closed = true
	var ends []func()
	if first {
		if t != nil {
			for _, p := range e.own {
				leave(p, time.Now())
			}
		}
		// What was planned must not bring back who said goodbye.
		e.agenda = agenda{}
		e.tell()
		for o := range e.watches {
			ends = append(ends, o.end)
		}
	}
	e.mu.Unlock()
	for _, end := range ends {
		end()
	}
	if t == nil || !first {
		return nil
	}
	e.loop.Wait()
	e.flush()
	if err := t.Close(); err != nil {
		return fmt.Errorf("close the sockets of multicast DNS: %w", err)
	}
	return nil
}
