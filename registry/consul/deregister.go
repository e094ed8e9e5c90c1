package consul

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

const (
	// farewell is what the check of a node says that was taken out by whoever
	// registered it. It stands in the check for a moment before the node is
	// deregistered, so that followers can tell it from one that was lost.
	farewell = "deregistered by its owner (rollcall)"
	// farewellWait bounds how long the servers are waited for to know the farewell, and
	// farewellPause is how long followers then have to see it.
	farewellWait  = time.Second
	farewellPause = 100 * time.Millisecond
)

// Deregister removes the nodes of s as far as they were registered here.
func (b *backend) Deregister(s *registry.Service, opts ...registry.DeregisterOption) error {
	if err := record.Check(s); err != nil {
		return fmt.Errorf("deregister: %w", err)
	}
	var o registry.DeregisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	ctx, cancel := b.bound(o.Context)
	defer cancel()
	leaving, err := b.leave(s)
	if err != nil {
		return fmt.Errorf("deregister %q: %w", s.Name, err)
	}
	if err = b.withdraw(ctx, leaving); err != nil {
		b.disturb() // the keeper goes on with it
		return fmt.Errorf("deregister %q: %w", s.Name, err)
	}
	return nil
}

// leave marks the nodes of s as leaving and returns those that are registered here.
func (b *backend) leave(s *registry.Service) ([]*registration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return nil, registry.ErrClosed
	}
	if err := b.link.client.Err(); err != nil {
		return nil, err
	}
	var leaving []*registration
	for _, n := range s.Nodes {
		if r := b.registrations[record.ID{Service: s.Name, Node: n.Id}]; r != nil && r.wanted != nil {
			r.leaving = true
			leaving = append(leaving, r)
		}
	}
	return leaving, nil
}

// withdraw takes nodes of one service that are leaving out of the agent: it says
// farewell for each, gives followers the time to hear it, and removes them.
func (b *backend) withdraw(ctx context.Context, leaving []*registration) error {
	var said farewells
	err := each(leaving, func(r *registration) error {
		return b.asLeaving(ctx, r, func(ctx context.Context, l *link, w *wanted, instance string) (gone bool, err error) {
			switch there, err := b.contentOf(ctx, l, r, w, instance); {
			case err != nil:
				return false, err
			case there == nothing, there == foreign, there == mirrored:
				return true, nil
			case r.said: // by another call, or before something failed
				checks, err := l.client.Checks(ctx, []string{instance})
				if err != nil || w.takenOver(checks, instance) {
					return err == nil, err
				}
				said.add(instance)
				return false, nil
			}
			// Without its check it goes without a word.
			if err := l.sayFarewell(ctx, w, instance); err != nil && !consul.Unknown(err) {
				return false, err
			}
			r.said = true
			said.add(instance)
			return false, nil
		})
	})
	if len(said.instances) == 0 {
		return err
	}
	b.heard(ctx, leaving[0].id.Service, &said)
	var checks map[string]consul.Check
	// Without an answer all are taken for ours still.
	_ = b.do(ctx, func(ctx context.Context, l *link) (err error) {
		checks, err = l.client.Checks(ctx, said.instances)
		return err
	})
	return errors.Join(err, each(leaving, func(r *registration) error {
		return b.asLeaving(ctx, r, func(ctx context.Context, l *link, w *wanted, instance string) (gone bool, err error) {
			if !said.has(instance) {
				return false, nil
			}
			if w.takenOver(checks, instance) {
				return true, nil
			}
			err = l.client.Deregister(ctx, w.service, instance)
			return err == nil, err
		})
	}))
}

// asLeaving calls f with the turn of r, if it is leaving still. If f says so, r is gone.
func (b *backend) asLeaving(ctx context.Context, r *registration, f func(ctx context.Context, l *link, w *wanted, instance string) (gone bool, err error)) error {
	if err := r.take(ctx); err != nil {
		return fmt.Errorf("node %q: %w", r.id.Node, err)
	}
	defer r.giveBack()
	b.mu.Lock()
	w, leaving, instance := r.wanted, r.leaving, r.instance
	b.mu.Unlock()
	if w == nil || !leaving {
		return nil // it is gone already, or was registered again
	}
	if instance == "" {
		instance = w.node // never confirmed, and perhaps there
	}
	gone := false
	err := b.do(ctx, func(ctx context.Context, l *link) (err error) {
		gone, err = f(ctx, l, w, instance)
		return err
	})
	if err != nil {
		return fmt.Errorf("node %q: %w", r.id.Node, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if gone && r.wanted == w && r.leaving {
		r.wanted, r.last, r.leaving, r.settled, r.displaced, r.instance, r.renewed = nil, nil, false, false, false, "", time.Time{}
		r.post(ability.Released, "deregistered", nil)
		b.forget(r)
	}
	return nil
}

// sayFarewell takes an instance out and says why.
func (l *link) sayFarewell(ctx context.Context, w *wanted, instance string) error {
	if w.tcp > 0 {
		return l.client.Maintain(ctx, w.service, instance, true, farewell)
	}
	return l.client.Fail(ctx, w.service, instance, farewell)
}

// takeBack ends what was said of an instance with a TCP check, if it was: nothing else
// does.
func (l *link) takeBack(ctx context.Context, w *wanted, instance string) error {
	checks, err := l.client.Checks(ctx, []string{instance})
	if err != nil || !standsFor(checks, instance) {
		return err
	}
	return l.client.Maintain(ctx, w.service, instance, false, "")
}

// takenOver reports whether another process registered the same node after the farewell,
// as one does that is restarted quickly: then it is that one's.
func (w *wanted) takenOver(checks map[string]consul.Check, instance string) bool {
	check, there := checks[consul.CheckID(instance)]
	if w.tcp > 0 {
		return there && !standsFor(checks, instance)
	}
	return check.Status == consul.Passing // after the TTL the farewell is gone from it
}

// standsFor reports whether a farewell stands in the checks of an instance.
func standsFor(checks map[string]consul.Check, instance string) bool {
	for _, c := range checks {
		if c.ServiceID == instance && isFarewell(c) {
			return true
		}
	}
	return false
}

// farewells are the instances for which it was said.
type farewells struct {
	mu        sync.Mutex
	instances []string
}

func (f *farewells) add(instance string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instances = append(f.instances, instance)
}

func (f *farewells) has(instance string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.instances, instance)
}

// heard waits until followers had the time to hear the farewells. Whoever cannot wait
// goes without.
func (b *backend) heard(ctx context.Context, service string, said *farewells) {
	ctx, cancel := context.WithTimeout(ctx, farewellWait)
	defer cancel()
	// An agent that is slow to tell its servers is not made slower by asking.
	for wait := farewellPause / 5; !b.known(ctx, service, said); wait *= 2 {
		if !pause(ctx, wait) {
			return
		}
	}
	pause(ctx, farewellPause)
}

// known reports whether the servers know the farewells, or cannot be asked.
func (b *backend) known(ctx context.Context, service string, said *farewells) bool {
	l := b.current()
	entries, _, err := l.client.Service(ctx, service, consul.Query{Connect: l.connect, Instances: said.instances})
	if err != nil {
		return consul.Forbidden(err)
	}
	for _, e := range entries {
		if said.has(e.Service.ID) && !saidFarewell(e) {
			return false
		}
	}
	return true
}

// saidFarewell reports whether the owner of an instance took it out.
func saidFarewell(e consul.Entry) bool {
	return slices.ContainsFunc(e.Checks, isFarewell)
}

func isFarewell(c consul.Check) bool {
	return c.Status == consul.Critical && (c.Output == farewell || c.Maintained() && c.Notes == farewell)
}
