package ability

import (
	"context"
	"sync"
)

// Observers hands what becomes of one record to those who observe it, for a registry
// that is a RegistrationObserver. It waits for none of them. The zero value is ready,
// and says that the record is Absent for no reason; it is safe for concurrent use.
type Observers struct {
	mu        sync.Mutex
	status    Status
	listeners map[*Listener]struct{}
}

// Tell makes s the status, and tells it to everybody.
func (o *Observers) Tell(s Status) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.status = s
	for l := range o.listeners {
		l.put(s)
	}
}

// Status returns what was told last.
func (o *Observers) Status() Status {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.status
}

// Add returns a listener who is told everything from now on, beginning with the
// present status, until Remove.
func (o *Observers) Add() *Listener {
	l := &Listener{news: make(chan struct{}, 1)}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.listeners == nil {
		o.listeners = make(map[*Listener]struct{})
	}
	o.listeners[l] = struct{}{}
	l.put(o.status)
	return l
}

// Remove ends what Add began.
func (o *Observers) Remove(l *Listener) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.listeners, l)
}

// Listener holds what an observer has yet to be told.
type Listener struct {
	news chan struct{} // holds a token if something waits

	mu      sync.Mutex
	waiting []Status
}

func (l *Listener) put(s Status) {
	l.mu.Lock()
	l.waiting = append(l.waiting, s)
	l.mu.Unlock()
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// Listen calls observe with everything that is told until ctx is done.
func (l *Listener) Listen(ctx context.Context, observe func(Status)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.news:
		}
		l.mu.Lock()
		waiting := l.waiting
		l.waiting = nil
		l.mu.Unlock()
		for _, s := range waiting {
			if ctx.Err() != nil {
				return
			}
			observe(s)
		}
	}
}
