package etcd

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/rollcall-go/micro/internal/etcd/claim"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// holding is a node that was registered here and not yet deregistered. The
// registry's mutex guards it.
type holding struct {
	id     record.ID
	value  []byte
	ttl    time.Duration
	shared bool // the node may share a lease with others

	claim   *claim.Claim
	asking  int  // calls of Register under way
	settled bool // a Register that returned no error stands behind it
	leaving bool // being deregistered
}

// slot returns the place of a node among the keys, whatever the namespace: names
// that differ only in "/" and "-" share one.
func slot(service, node string) string { return layout.Layout{}.Node(service, node) }

func (h *holding) slot() string { return slot(h.id.Service, h.id.Node) }

// claimOn makes a claim of h over l. The caller holds mu.
func (b *backend) claimOn(l *link, h *holding) {
	h.claim = l.keeper.Claim(claim.Spec{
		Key:       l.layout.Node(h.id.Service, h.id.Node),
		PauseKey:  l.layout.Pause(h.id.Service, h.id.Node),
		PauseText: layout.PauseText,
		Value:     h.value,
		Farewell:  layout.MarkLeaving,
		TTL:       h.ttl,
		Shared:    h.shared,
	})
	b.custodyOf(h.id).follow(h.claim)
}

// hold claims the keys of the nodes of s, or updates the claims there are.
func (b *backend) hold(s *registry.Service, values [][]byte, ttl time.Duration, shared bool) ([]*holding, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.holdable(s); err != nil {
		return nil, err
	}
	held := make([]*holding, len(s.Nodes))
	for i, n := range s.Nodes {
		h := b.holdings[slot(s.Name, n.Id)]
		switch {
		case h == nil || h.leaving:
			h = &holding{id: record.ID{Service: s.Name, Node: n.Id}, value: values[i], ttl: ttl, shared: shared}
			b.holdings[h.slot()] = h
			b.claimOn(b.link, h)
		case h.ttl != ttl || h.shared != shared:
			// A claim of the same key, under another lease, takes the old one's place.
			h.value, h.ttl, h.shared = values[i], ttl, shared
			b.claimOn(b.link, h)
		case !bytes.Equal(h.value, values[i]):
			h.value = values[i]
			h.claim.Update(values[i])
		}
		h.asking++
		held[i] = h
	}
	return held, nil
}

// holdable returns why s cannot be registered here. The caller holds mu.
func (b *backend) holdable(s *registry.Service) error {
	if b.ctx.Err() != nil {
		return registry.ErrClosed
	}
	if err := b.link.err(); err != nil {
		return err
	}
	for _, n := range s.Nodes {
		if h := b.holdings[slot(s.Name, n.Id)]; h != nil && !h.leaving && h.id != (record.ID{Service: s.Name, Node: n.Id}) {
			return fmt.Errorf("the key %q belongs to node %q of %q, which is registered here: choose a name that differs in more than / and -",
				b.link.layout.Node(s.Name, n.Id), h.id.Node, h.id.Service)
		}
	}
	return nil
}

// await waits until etcd holds the node, or until it is clear that it shall not.
func (b *backend) await(ctx context.Context, h *holding) error {
	for {
		b.mu.Lock()
		cl, settled := h.claim, h.settled
		b.mu.Unlock()
		err := cl.Wait(ctx)
		b.mu.Lock()
		moved := h.claim != cl
		b.mu.Unlock()
		switch {
		case moved && ctx.Err() == nil: // to another connection or lease
			continue
		case err != nil && b.ctx.Err() != nil:
			return registry.ErrClosed
		case err != nil:
			return err
		}
		if s := cl.Status(); s.State == claim.Displaced && !settled {
			return fmt.Errorf("another process registers the same node: %s", s.Reason)
		}
		return nil
	}
}

// conclude ends a registration: what failed and was not registered before is
// given up, unless another call is still at it. It returns the ids of the nodes
// that were registered and had not been before.
func (b *backend) conclude(held []*holding, failed bool) (fresh []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range held {
		h.asking--
		switch {
		case !failed:
			if !h.settled {
				fresh = append(fresh, h.id.Node)
			}
			h.settled = true
		case !h.settled && !h.leaving && h.asking == 0 && b.holdings[h.slot()] == h:
			delete(b.holdings, h.slot())
			b.custodyOf(h.id).withdraw(h.claim)
			b.forget(h.id)
			b.releaseBeside(h.claim)
		}
	}
	return fresh
}

// leave marks the nodes of s as leaving and returns those that are held here.
func (b *backend) leave(s *registry.Service) ([]*holding, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return nil, registry.ErrClosed
	}
	if err := b.link.err(); err != nil {
		return nil, err
	}
	var leaving []*holding
	for _, n := range s.Nodes {
		h := b.holdings[slot(s.Name, n.Id)]
		if h != nil && h.id == (record.ID{Service: s.Name, Node: n.Id}) {
			h.leaving = true
			leaving = append(leaving, h)
		}
	}
	return leaving, nil
}

// release gives up a holding that is leaving. One whose key could not be deleted
// is kept, so that Deregister may be called again.
func (b *backend) release(ctx context.Context, h *holding) error {
	b.mu.Lock()
	cl := h.claim
	b.mu.Unlock()
	if err := cl.Release(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holdings[h.slot()] == h {
		delete(b.holdings, h.slot())
	}
	b.forget(h.id)
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

// move claims everything that is held over l as well. The caller
// holds mu.
func (b *backend) move(l *link) []move {
	var all []move
	for _, h := range b.holdings {
		from := h.claim
		if h.leaving {
			all = append(all, move{from: from})
			continue
		}
		from.Yield()
		b.claimOn(l, h)
		all = append(all, move{from, h.claim})
	}
	return all
}
