package etcd

import (
	"context"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/etcd/claim"
	"github.com/rollcall-go/micro/internal/record"
)

// custody is what has become of one node's record, whichever claim stands for
// it. No method waits for a listener.
type custody struct {
	users int // listeners; guarded by the registry's mutex

	mu        sync.Mutex
	claim     *claim.Claim // the one that speaks for the record, nil if none
	last      ability.Status
	listeners map[*listener]struct{}
}

// ObserveRegistration reports the status of a node's record, beginning with the present one,
// from a goroutine of its own until stop is called. stop waits for observe to
// return, which therefore must not call it.
func (b *backend) ObserveRegistration(service, node string, observe func(ability.Status)) (stop func()) {
	id := record.ID{Service: service, Node: node}
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
	c := b.custodyOf(id)
	c.users++
	b.mu.Unlock()
	c.add(l)
	return sync.OnceFunc(func() {
		cancel()
		<-done
		c.remove(l)
		b.mu.Lock()
		defer b.mu.Unlock()
		c.users--
		b.forget(id)
	})
}

// custodyOf returns the custody of a node. The caller holds mu.
func (b *backend) custodyOf(id record.ID) *custody {
	c := b.custody[id]
	if c == nil {
		c = &custody{
			last:      ability.Status{State: ability.Absent, Reason: "not registered yet", At: time.Now()},
			listeners: make(map[*listener]struct{}),
		}
		b.custody[id] = c
	}
	return c
}

// forget drops the custody of a node that nobody holds or asks for. The caller
// holds mu.
func (b *backend) forget(id record.ID) {
	h := b.holdings[slot(id.Service, id.Node)]
	if c := b.custody[id]; c != nil && c.users == 0 && (h == nil || h.id != id) {
		delete(b.custody, id)
	}
}

func (c *custody) add(l *listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listeners[l] = struct{}{}
	if c.claim != nil {
		// What the claim has told may still be on its way.
		c.last = c.claim.Status()
	}
	l.put(c.last)
}

func (c *custody) remove(l *listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.listeners, l)
}

// follow makes cl the one that speaks for the record.
func (c *custody) follow(cl *claim.Claim) {
	c.mu.Lock()
	c.claim = cl
	c.mu.Unlock()
	cl.Observe(func(s ability.Status) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.claim == cl {
			c.tell(s)
		}
	})
}

// withdraw ends what cl has to say, the registration having failed.
func (c *custody) withdraw(cl *claim.Claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.claim != cl {
		return
	}
	c.claim = nil
	if c.last.State != ability.Absent {
		c.tell(ability.Status{State: ability.Absent, Reason: "the registration failed", At: time.Now()})
	}
}

// tell hands s to the listeners, unless they know what is newer. The caller holds
// the custody's mutex.
func (c *custody) tell(s ability.Status) {
	if s.At.Before(c.last.At) {
		return
	}
	c.last = s
	for l := range c.listeners {
		l.put(s)
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
