package etcd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/etcd/claim"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// registration is one node's record: what is claimed for it, if it is registered
// here, and who is told what becomes of it.
type registration struct {
	id record.ID

	// What follows is guarded by the registry's mutex.
	claim    *claim.Claim // nil while the node is not registered here
	value    []byte
	ttl      time.Duration
	shared   bool // the node may share a lease with others
	yields   bool // it takes nothing over
	asking   int  // calls of Register under way
	settled  bool // a Register that returned no error stands behind it
	leaving  bool // being deregistered
	observed int  // times

	// What follows is guarded by mu, which is taken last: a keeper may be locked.
	mu        sync.Mutex
	claims    int // made so far; what one tells that is not the last is old
	observers ability.Observers
}

// slot returns the place of a node among the keys, whatever the namespace: names
// that differ only in "/" and "-" share one.
func slot(service, node string) string { return layout.Layout{}.Node(service, node) }

func (r *registration) slot() string { return slot(r.id.Service, r.id.Node) }

// registrationOf returns the registration of a node. The caller holds mu.
func (b *backend) registrationOf(id record.ID) *registration {
	r := b.registrations[id]
	if r == nil {
		r = &registration{id: id}
		r.observers.Tell(ability.Status{State: ability.Absent, Reason: "not registered yet", At: time.Now()})
		b.registrations[id] = r
	}
	return r
}

// forget drops a registration that nobody made or asks for. The caller holds mu.
func (b *backend) forget(r *registration) {
	if r.claim == nil && r.observed == 0 {
		delete(b.registrations, r.id)
	}
}

// claimOn makes a claim of r over l. The caller holds mu.
func (b *backend) claimOn(l *link, r *registration) {
	r.mu.Lock()
	r.claims++
	turn := r.claims
	r.mu.Unlock()
	b.slots[r.slot()] = r
	r.claim = l.keeper.Claim(claim.Spec{
		Key:       l.layout.Node(r.id.Service, r.id.Node),
		PauseKey:  l.layout.Pause(r.id.Service, r.id.Node),
		PauseText: layout.PauseText,
		Value:     r.value,
		Farewell:  layout.MarkLeaving,
		Told:      func(s ability.Status) { r.tell(turn, s) },
		TTL:       r.ttl,
		Shared:    r.shared,
		Yields:    r.yields,
	})
}

// end notes that nothing is claimed for r any more. The caller holds mu.
func (b *backend) end(r *registration) {
	r.claim, r.settled, r.leaving = nil, false, false
	if b.slots[r.slot()] == r {
		delete(b.slots, r.slot())
	}
	b.forget(r)
}

// register claims the keys of the nodes of s, or updates the claims there are.
func (b *backend) register(s *registry.Service, values [][]byte, ttl time.Duration, shared, yields bool) ([]*registration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.registrable(s); err != nil {
		return nil, err
	}
	all := make([]*registration, len(s.Nodes))
	for i, n := range s.Nodes {
		r := b.registrationOf(record.ID{Service: s.Name, Node: n.Id})
		fresh := r.claim == nil || r.leaving
		same := !fresh && r.ttl == ttl && r.shared == shared && r.yields == yields
		changed := !bytes.Equal(r.value, values[i])
		r.value, r.ttl, r.shared, r.yields = values[i], ttl, shared, yields
		switch {
		case fresh:
			r.settled, r.leaving = false, false
			b.claimOn(b.link, r)
		case !same:
			// A claim of the same key, under another lease, takes the old one's place.
			b.claimOn(b.link, r)
		case changed:
			r.claim.Update(r.value)
		}
		r.asking++
		all[i] = r
	}
	return all, nil
}

// registrable returns why s cannot be registered here. The caller holds mu.
func (b *backend) registrable(s *registry.Service) error {
	if b.ctx.Err() != nil {
		return registry.ErrClosed
	}
	if err := b.link.err(); err != nil {
		return err
	}
	for _, n := range s.Nodes {
		if r := b.slots[slot(s.Name, n.Id)]; r != nil && !r.leaving && r.id != (record.ID{Service: s.Name, Node: n.Id}) {
			return fmt.Errorf("the key %q belongs to node %q of %q, which is registered here: choose a name that differs in more than / and -",
				b.link.layout.Node(s.Name, n.Id), r.id.Node, r.id.Service)
		}
	}
	return nil
}

// await waits until etcd holds the node, or until it is clear that it shall not.
func (b *backend) await(ctx context.Context, r *registration) error {
	for {
		b.mu.Lock()
		cl, mayWait := r.claim, r.settled || r.yields
		b.mu.Unlock()
		if cl == nil {
			return errors.New("it was deregistered meanwhile")
		}
		err := cl.Wait(ctx)
		b.mu.Lock()
		moved := r.claim != cl && r.claim != nil
		b.mu.Unlock()
		switch {
		case moved && ctx.Err() == nil: // to another connection or lease
			continue
		case err != nil && b.ctx.Err() != nil:
			return registry.ErrClosed
		case err != nil:
			return err
		}
		if s := cl.Status(); s.State == claim.Displaced && !mayWait {
			return fmt.Errorf("another process registers the same node: %s", s.Reason)
		}
		return nil
	}
}

// conclude ends calls of register: what failed and was not registered before is
// given up, unless another call is still at it. It returns the ids of the nodes
// that were registered and had not been before.
func (b *backend) conclude(all []*registration, failed bool) (fresh []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range all {
		r.asking--
		switch {
		case !failed:
			if !r.settled {
				fresh = append(fresh, r.id.Node)
			}
			r.settled = true
		case r.claim != nil && !r.settled && !r.leaving && r.asking == 0:
			cl := r.claim
			r.withdraw()
			b.end(r)
			b.releaseBeside(cl)
		}
	}
	return fresh
}

// leaver is a registration with the claim that is to be released.
type leaver struct {
	*registration
	claim *claim.Claim
}

// leave marks the nodes of s as leaving and returns those that are registered here.
func (b *backend) leave(s *registry.Service) ([]leaver, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return nil, registry.ErrClosed
	}
	if err := b.link.err(); err != nil {
		return nil, err
	}
	var leaving []leaver
	for _, n := range s.Nodes {
		if r := b.registrations[record.ID{Service: s.Name, Node: n.Id}]; r != nil && r.claim != nil {
			r.leaving = true
			leaving = append(leaving, leaver{r, r.claim})
		}
	}
	return leaving, nil
}

// release gives up what is leaving. A node whose key could not be deleted stays, so
// that Deregister may be called again.
func (b *backend) release(ctx context.Context, d leaver) error {
	if err := d.claim.Release(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if d.registration.claim == d.claim { // it was not registered again meanwhile
		b.end(d.registration)
	}
	return nil
}

// releaseBeside releases a claim without holding up the caller, who holds mu.
func (b *backend) releaseBeside(cl *claim.Claim) {
	if b.ctx.Err() != nil {
		return // Close ends all claims
	}
	timeout := b.timeout()
	b.running.Go(func() {
		ctx, cancel := context.WithTimeout(b.ctx, timeout)
		defer cancel()
		// What cannot be deleted now runs out with its lease.
		_ = cl.Release(ctx)
	})
}

// move is a claim that passes from one connection to another; to is nil if it is
// being released.
type move struct{ from, to *claim.Claim }

// move claims everything that is registered over l as well. The caller holds mu.
func (b *backend) move(l *link) []move {
	var all []move
	for _, r := range b.registrations {
		from := r.claim
		switch {
		case from == nil:
		case r.leaving:
			all = append(all, move{from: from})
		default:
			from.Yield()
			b.claimOn(l, r)
			all = append(all, move{from, r.claim})
		}
	}
	return all
}
