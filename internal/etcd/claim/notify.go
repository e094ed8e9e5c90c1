package claim

import (
	"context"
	"slices"
	"sync"
)

// observer is a function that wants to know the states of a claim.
type observer struct {
	mu      sync.Mutex // held while f runs
	f       func(Status)
	stopped bool
}

// notice is a state on its way to those who observed the claim when it was
// entered. The list is never modified.
type notice struct {
	to     []*observer
	status Status
}

// notify delivers the notices in order, one at a time.
func (k *Keeper) notify(ctx context.Context) {
	for {
		k.mu.Lock()
		notices := k.notices
		k.notices = nil
		k.mu.Unlock()
		for _, n := range notices {
			for _, o := range n.to {
				o.tell(n.status)
			}
		}
		if len(notices) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-k.deliver:
		}
	}
}

func (o *observer) tell(s Status) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.stopped {
		o.f(s)
	}
}

func (o *observer) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopped = true
}

// Observe has f called with the present status and then with every status that
// is entered, in order, one call at a time. f must return quickly, and must not
// call stop. Once stop returned there are no more calls. Closing the Conn ends
// them as well.
func (cl *Claim) Observe(f func(Status)) (stop func()) {
	o := &observer{f: f}
	k := cl.k
	k.mu.Lock()
	defer k.mu.Unlock()
	k.notices = append(k.notices, notice{[]*observer{o}, cl.m.status})
	wake(k.deliver)
	cl.observers = append(slices.Clip(cl.observers), o)
	return func() {
		k.mu.Lock()
		cl.observers = slices.DeleteFunc(slices.Clone(cl.observers), func(other *observer) bool { return other == o })
		k.mu.Unlock()
		o.stop()
	}
}
