package etcd

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/etcd/claim"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/logger"
)

// deniedFor is how long nothing is written once etcd refused it.
const deniedFor = 10 * time.Minute

// application is what the program says of itself: which change set is in force, and
// whether the instance is about to end.
type application struct {
	wake chan struct{} // holds a token if the publisher is to look again

	mu   sync.Mutex
	now  source.Applied
	left chan struct{} // nil: the instance is not about to end; closed once its key is gone
}

func newApplication() *application { return &application{wake: make(chan struct{}, 1)} }

// look makes the publisher look again.
func (a *application) look() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *application) change(change func()) {
	a.mu.Lock()
	change()
	a.mu.Unlock()
	a.look()
}

func (a *application) get() (now source.Applied, left chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now, a.left
}

// publisher says in etcd what an instance has in force, in a key that ends with it. It has
// one goroutine, which ends with the session.
type publisher struct {
	*session
	*application

	record  layout.AppliedRecord // what was in force when that was last known
	known   bool                 // it was
	claimed *claim.Claim         // of key, with value; nil: nothing is written
	key     string
	value   []byte
	written time.Time // when value was given to the claim
	denied  time.Time // until when nothing is written
	told    bool      // the log was told that etcd refused
}

// publish runs until the session ends. The connection of a registry may be replaced by
// another, with a keeper of its own.
func (p *publisher) publish() {
	for p.ctx.Err() == nil {
		keeper := p.keeper()
		for p.await(p.step(keeper, time.Now()), keeper.Conn().Done()) {
		}
		if p.ctx.Err() != nil {
			p.withdraw()
			if _, left := p.get(); left != nil {
				p.gone(left)
			}
			return
		}
		p.claimed = nil // it ended with the connection
		p.await(again.Base, nil)
	}
}

// await returns when there is something to look at, or after d unless that is zero. It
// reports false if the session is over, or ended is.
func (p *publisher) await(d time.Duration, ended <-chan struct{}) bool {
	var after <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		after = timer.C
	}
	select {
	case <-p.ctx.Done():
		return false
	case <-ended:
		return false
	case <-p.wake:
	case <-after:
	}
	return true
}

// step makes the key be what it should be and returns after how long to look again, 0 if
// only what happens matters.
func (p *publisher) step(keeper *claim.Keeper, now time.Time) time.Duration {
	applied, left := p.get()
	if left != nil {
		p.withdraw()
		p.gone(left)
		return 0
	}
	if rest := p.denied.Sub(now); rest > 0 {
		return rest
	}
	if rest := p.written.Add(defaults.ConfigPublishInterval).Sub(now); rest > 0 {
		return rest
	}
	if p.refused() {
		p.denied = now.Add(deniedFor)
		p.withdraw()
		return deniedFor
	}
	key, value, again := p.wanted(applied, now)
	switch {
	case key != p.key && p.claimed != nil: // another instance
		p.withdraw()
		return p.step(keeper, now)
	case value == nil || p.claimed != nil && bytes.Equal(value, p.value):
		return again
	case p.claimed == nil:
		p.claimed = keeper.Claim(claim.Spec{Key: key, Value: value, Shared: true})
	default:
		p.claimed.Update(value)
	}
	p.key, p.value, p.written = key, value, now
	return defaults.ConfigPublishInterval // to see what came of it
}

// refused reports whether etcd does not let us write, and tells the log once.
func (p *publisher) refused() bool {
	if p.claimed == nil {
		return false
	}
	ctx, cancel := context.WithCancel(p.ctx)
	cancel() // what is known is enough
	err := p.claimed.Wait(ctx)
	if refusal.Of(err) != refusal.Right {
		return false
	}
	if !p.told {
		p.told = true
		logger.Warnf("Config [etcd] It cannot be told which configuration is in force here, and `micro config status` does not show this instance: %v", err)
	}
	return true
}

// withdraw takes the key out, at once if etcd answers and else with its lease.
func (p *publisher) withdraw() {
	if p.claimed == nil {
		return
	}
	// The session may be over by now, and the key is to go all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), defaults.ConfigLeaveTimeout)
	defer cancel()
	_ = p.claimed.Release(ctx) // what it could not do the end of the lease does
	p.claimed, p.key, p.value = nil, "", nil
}

// gone tells whoever waits in Leave.
func (p *publisher) gone(left chan struct{}) {
	select {
	case <-left:
	default:
		close(left)
	}
}
