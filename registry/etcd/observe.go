package etcd

import (
	"context"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/record"
)

// ObserveRegistration reports the status of a node's record, beginning with the
// present one, from a goroutine of its own until stop is called. stop waits for
// observe to return, which therefore must not call it.
func (b *backend) ObserveRegistration(service, node string, observe func(ability.Status)) (stop func()) {
	l := &listener{news: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan struct{})
	if err := b.start(func() {
		defer close(done)
		l.listen(ctx, observe)
	}); err != nil {
		cancel()
		return func() {}
	}
	b.mu.Lock()
	r := b.registrationOf(record.ID{Service: service, Node: node})
	r.observers++
	b.mu.Unlock()
	r.add(l)
	return sync.OnceFunc(func() {
		cancel()
		<-done
		r.remove(l)
		b.mu.Lock()
		defer b.mu.Unlock()
		r.observers--
		b.forget(r)
	})
}

func (r *registration) add(l *listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listeners[l] = struct{}{}
	l.put(r.status)
}

func (r *registration) remove(l *listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.listeners, l)
}

// tell hands s, from the claim of that turn, to the listeners. It waits for none.
func (r *registration) tell(turn int, s ability.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if turn != r.claims {
		return
	}
	r.status = s
	for l := range r.listeners {
		l.put(s)
	}
}

// withdraw ends what the claim has to say, the registration having failed.
func (r *registration) withdraw() {
	r.mu.Lock()
	r.claims++
	turn, absent := r.claims, r.status.State == ability.Absent
	r.mu.Unlock()
	if !absent {
		r.tell(turn, ability.Status{State: ability.Absent, Reason: "the registration failed", At: time.Now()})
	}
}

// listener holds what an observer has yet to be told.
type listener struct {
	news chan struct{} // holds a token if something waits

	mu      sync.Mutex
	waiting []ability.Status
}

func (l *listener) put(s ability.Status) {
	l.mu.Lock()
	l.waiting = append(l.waiting, s)
	l.mu.Unlock()
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// listen calls observe with everything put until ctx is done.
func (l *listener) listen(ctx context.Context, observe func(ability.Status)) {
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
