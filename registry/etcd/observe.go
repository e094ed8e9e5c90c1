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
	ctx, cancel := context.WithCancel(b.ctx)
	b.mu.Lock()
	r := b.registrationOf(record.ID{Service: service, Node: node})
	r.observed++
	b.mu.Unlock()
	l := r.observers.Add()
	done := make(chan struct{})
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
		r.observers.Remove(l)
		b.mu.Lock()
		defer b.mu.Unlock()
		r.observed--
		b.forget(r)
	})
	if err := b.start(func() {
		defer close(done)
		l.Listen(ctx, observe)
	}); err != nil {
		close(done)
		stop()
	}
	return stop
}

// tell hands s, from the claim of that turn, to the listeners. It waits for none.
func (r *registration) tell(turn int, s ability.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if turn != r.claims {
		return
	}
	r.observers.Tell(s)
}

// withdraw ends what the claim has to say, the registration having failed.
func (r *registration) withdraw() {
	r.mu.Lock()
	r.claims++
	turn, absent := r.claims, r.observers.Status().State == ability.Absent
	r.mu.Unlock()
	if !absent {
		r.tell(turn, ability.Status{State: ability.Absent, Reason: "the registration failed", At: time.Now()})
	}
}
