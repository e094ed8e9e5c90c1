// Package bridge mirrors what is registered in one registry into another, for as
// long as it runs: for fleets that move from one to the other and cannot be moved
// by code. It is for the command; services do not link it.
//
// A mirrored record carries a mark that says where it comes from, so that it is
// never mirrored back, however many bridges there are between however many
// registries. The services' own records go before mirrored ones. Of two bridges
// between the same registries each takes the place of the other when that is gone.
package bridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// Side is a registry at one end of a bridge. It stays its maker's.
type Side struct {
	// Name tells the registry from all others that bridges lead to: it is what marks
	// are made of. Bridges that share a registry must call it the same.
	Name     string
	Registry registry.Registry
}

// Config says what is mirrored.
type Config struct {
	From, To Side
	// Services are the names of those that are mirrored; one that ends in * stands for
	// all that begin so. None means all.
	Services []string
	// TTL is how long mirrored records outlive the bridge. Zero means
	// defaults.RegisterTTL.
	TTL time.Duration
	// Leave leaves the mirrored records to their TTL when the bridge is stopped, where
	// otherwise it takes them out.
	Leave bool
	// OnEvent, if not nil, is told what happens, from one goroutine. It must return
	// quickly.
	OnEvent func(Event)
}

const (
	// writesAtOnce is how many nodes are written at a time.
	writesAtOnce = 16
	// stopTimeout bounds the end of a bridge: what it takes out, and what it still waits
	// for.
	stopTimeout = 10 * time.Second
)

// Run mirrors until ctx ends, and then returns nil, having taken out what it put
// there. It returns an error early only for what can never work. A registry that is
// away is waited for: of the one that is read the last that is known holds.
func Run(ctx context.Context, cfg Config) error {
	cfg.TTL = cmp.Or(max(cfg.TTL, 0), defaults.RegisterTTL)
	if err := cfg.check(); err != nil {
		return err
	}
	b := &run{cfg: cfg, m: newMachine(cfg), news: inbox{ready: make(chan struct{}, 1)}}
	return b.loop(ctx)
}

func (c Config) check() error {
	for _, s := range []Side{c.From, c.To} {
		if s.Name == "" || strings.Contains(s.Name, separator) {
			return fmt.Errorf("name a registry %q: it must not be empty, and hold no %q", s.Name, separator)
		}
		if err := ability.Check(s.Registry); err != nil {
			return err
		}
	}
	if c.From.Name == c.To.Name {
		return fmt.Errorf("mirror from %q to %q: they are one; give each registry a name of its own", c.From.Name, c.To.Name)
	}
	return nil
}

// run is one call of Run. The machine is used by loop alone.
type run struct {
	cfg  Config
	m    *machine
	news inbox
	work sync.WaitGroup // goroutines that put news in
}

// loop runs the machine.
func (b *run) loop(ctx context.Context) error {
	following, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2*max(1, len(b.m.names)))
	for _, end := range []struct {
		side Side
		view *view
	}{{b.cfg.From, b.m.from}, {b.cfg.To, b.m.to}} {
		for _, name := range b.m.names {
			b.work.Go(func() {
				err := feed.Of(end.side.Registry).Follow(following, name, &sink{b: b, view: end.view, name: name})
				if err != nil {
					ended <- fmt.Errorf("follow %s: %w", end.side.Name, err)
				}
			})
		}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	var failed error
	for failed == nil && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case failed = <-ended:
		case <-b.news.ready:
			b.news.take(time.Now())
			b.turn(ctx, timer)
		case <-timer.C:
			b.turn(ctx, timer)
		}
	}
	cancel()
	return errors.Join(failed, b.stop(ctx))
}

// turn has the machine say what is to be done, and sees to it.
func (b *run) turn(ctx context.Context, timer *time.Timer) {
	now := time.Now()
	for _, o := range b.m.next(now) {
		b.work.Go(func() {
			err := b.do(ctx, o)
			b.news.put(func(now time.Time) { b.m.done(now, o, err) })
		})
	}
	if about := b.m.questions(now); len(about) > 0 {
		b.work.Go(func() {
			causes, err := b.m.resolver.Resolve(ctx, about)
			b.news.put(func(now time.Time) { b.m.resolved(now, about, causes, err) })
		})
	}
	b.tell()
	if wake := b.m.wake; wake.IsZero() {
		timer.Stop()
	} else {
		timer.Reset(max(0, wake.Sub(now)))
	}
}

// do carries an operation out. The end of ctx does not cut it off: what it did would
// be unknown.
func (b *run) do(ctx context.Context, o op) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	to := b.cfg.To.Registry
	if o.remove {
		return to.Deregister(o.record, registry.DeregisterContext(ctx))
	}
	return to.Register(o.record, registry.RegisterTTL(b.cfg.TTL), registry.RegisterContext(ability.WithYield(ctx)))
}

// stop waits for what is under way and takes out what was put there.
func (b *run) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	idle := make(chan struct{})
	go func() { // ends with what it waits for: registries end their methods by the timeout
		defer close(idle)
		b.work.Wait()
	}()
	for done := false; !done; {
		select {
		case <-b.news.ready:
			b.news.take(time.Now())
		case <-idle:
			b.news.take(time.Now())
			done = true
		case <-ctx.Done():
			done = true
		}
	}
	var mu sync.Mutex
	var errs []error
	var left []op
	if !b.cfg.Leave {
		left = b.m.leftovers()
	}
	next := make(chan op)
	var removing sync.WaitGroup
	for range min(writesAtOnce, len(left)) {
		removing.Go(func() {
			for o := range next {
				err := ctx.Err()
				if err == nil {
					err = b.cfg.To.Registry.Deregister(o.record, registry.DeregisterContext(ctx))
				}
				if err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, o := range left {
		next <- o
	}
	close(next)
	removing.Wait()
	b.m.ended(time.Now(), len(left)-len(errs))
	b.tell()
	if len(errs) > 0 {
		return fmt.Errorf("take %d of %d mirrored nodes out of %s, which then go when their time to live ends: %w", len(errs), len(left), b.cfg.To.Name, errs[0])
	}
	return nil
}

// tell hands on what the machine has to tell.
func (b *run) tell() {
	for _, e := range b.m.events {
		if b.cfg.OnEvent != nil {
			b.cfg.OnEvent(e)
		}
	}
	b.m.events = b.m.events[:0]
}
