package consul

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/consul/tags"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// atOnce is how many nodes of one call are talked about to the agent at a time.
const atOnce = 4

// Register publishes every node of s and returns when the agent knows them, or with an
// error after the timeout; then none of them, unless it was registered before, is
// published. The servers, and with them those who look up, hear of it a moment later.
// Without a time to live the default applies.
func (b *backend) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	if err := record.Check(s); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	var o registry.RegisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	timeless := o.TTL <= 0
	if timeless {
		o.TTL = defaults.RegisterTTL
	}
	ctx, cancel := b.bound(o.Context)
	defer cancel()
	if ctx.Err() != nil {
		return fmt.Errorf("register %q: %w", s.Name, b.why(ctx))
	}
	all, err := b.claim(s, o.TTL, ability.Yielding(o.Context))
	if err != nil {
		return fmt.Errorf("register %q: %w", s.Name, err)
	}
	err = each(all, func(r *registration) error {
		if err := r.take(ctx); err != nil {
			return fmt.Errorf("node %q: %w", r.id.Node, err)
		}
		defer r.giveBack()
		return b.do(ctx, func(ctx context.Context, l *link) error { return b.publish(ctx, l, r) })
	})
	fresh := b.conclude(all, err)
	if err != nil {
		return fmt.Errorf("register %q: %w", s.Name, err)
	}
	if timeless && b.current().tcpCheck == 0 {
		for _, id := range fresh {
			// In go-micro v2 it would stay for ever.
			logger.Logf(logger.WarnLevel, "Registry [consul] Node is registered without a TTL and gets %s: %s", defaults.RegisterTTL, id)
		}
	}
	return nil
}

// claim notes what the agent is to know of the nodes of s.
func (b *backend) claim(s *registry.Service, ttl time.Duration, yields bool) ([]*registration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return nil, registry.ErrClosed
	}
	if err := b.link.client.Err(); err != nil {
		return nil, err
	}
	nodes := make([]*wanted, len(s.Nodes))
	for i, n := range s.Nodes {
		w, err := b.link.want(s, n, ttl)
		if err != nil {
			return nil, err
		}
		w.yields = yields
		nodes[i] = w
	}
	all := make([]*registration, len(s.Nodes))
	for i, w := range nodes {
		r := b.registrationOf(record.ID{Service: s.Name, Node: w.node})
		if r.wanted == nil || r.leaving || !r.wanted.same(w) {
			if r.wanted == nil || r.leaving {
				r.settled, r.leaving = false, false
			}
			r.wanted, r.renewed, r.displaced = w, time.Time{}, false
		}
		r.asking++
		all[i] = r
	}
	b.keep()
	return all, nil
}

// publish tells the agent of r, or that it lives, if the agent was told before. The
// caller has the turn of r.
func (b *backend) publish(ctx context.Context, l *link, r *registration) error {
	b.mu.Lock()
	w, leaving, known, displaced, instance := r.wanted, r.leaving, !r.renewed.IsZero(), r.displaced, r.instance
	b.mu.Unlock()
	if w == nil || leaving {
		return errors.New("it was deregistered meanwhile")
	}
	began := time.Now()
	if known {
		// A TCP check passes by itself, and a node that another process registered since is
		// that one's. What has become of either the keeper sees.
		if w.tcp > 0 || displaced {
			return nil
		}
		err := l.client.Pass(ctx, w.service, instance)
		if err == nil {
			b.held(r, w, instance, began)
			return nil
		}
		if !consul.Unknown(err) {
			return err
		}
	}
	instance, err := l.instance(ctx, w)
	if err != nil {
		return err
	}
	told, err := w.registration(instance)
	if err != nil {
		return err
	}
	if w.yields {
		if others, err := b.othersHold(ctx, l, r, w, instance); err != nil {
			return err
		} else if others {
			b.mu.Lock()
			r.instance = instance
			b.mu.Unlock()
			b.displace(r, w)
			return nil
		}
	}
	r.said = false
	if err := l.client.Register(ctx, told); err != nil {
		return err
	}
	// The agent keeps the state of a check that was there before.
	if w.tcp == 0 {
		err = l.client.Pass(ctx, w.service, instance)
	} else {
		err = l.takeBack(ctx, w, instance)
	}
	if err != nil {
		return err
	}
	b.held(r, w, instance, began)
	return nil
}

// instance returns the id to give w at the agent. That is the node's, as in v2, unless
// an instance of another service has it: an agent knows one instance by an id, while
// ids of nodes are told apart within their service alone.
func (l *link) instance(ctx context.Context, w *wanted) (string, error) {
	there, ok, err := l.client.Instance(ctx, w.node)
	if ok && there.Service != w.service {
		return w.service + "/" + w.node, nil
	}
	return w.node, err
}

// othersHold reports whether the agent knows another record of the node than those of
// ours, which somebody renews.
func (b *backend) othersHold(ctx context.Context, l *link, r *registration, w *wanted, instance string) (bool, error) {
	there, err := b.contentOf(ctx, l, r, w, instance)
	if err != nil || there != foreign && there != mirrored {
		return false, err
	}
	checks, err := l.client.Checks(ctx, []string{instance})
	return checks[consul.CheckID(instance)].Status == consul.Passing, err
}

// held notes that the agent knows r as w since a request that began then.
func (b *backend) held(r *registration, w *wanted, instance string, began time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.wanted != w || r.leaving {
		return // something else is wanted by now
	}
	r.instance, r.renewed, r.last = instance, began, w
	b.renewals.Add(1)
	r.post(ability.Held, "", nil)
}

// conclude ends calls of claim: what failed and was not registered before is given up,
// unless another call is still at it. It returns the ids of the nodes that were
// registered and had not been before.
func (b *backend) conclude(all []*registration, failed error) (fresh []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range all {
		r.asking--
		switch {
		case failed == nil:
			if !r.settled && r.wanted != nil {
				fresh = append(fresh, r.id.Node)
				r.settled = true
			}
		case r.wanted != nil && !r.settled && r.asking == 0:
			// The agent may have been told all the same.
			r.leaving = true
			r.post(ability.Absent, "the registration failed", failed)
			b.disturb()
		}
		b.forget(r)
	}
	return fresh
}

// content is what the agent knows by the id of a node.
type content int

const (
	nothing  content = iota
	asWanted         // what it is to know
	asTold           // what it was told by us before
	foreign          // what another process told it
	mirrored         // what a bridge told it
)

// contentOf returns what the agent knows of the node by the id of its instance, which is
// nothing where another service took that over. The caller has the turn of r.
func (b *backend) contentOf(ctx context.Context, l *link, r *registration, w *wanted, instance string) (content, error) {
	there, ok, err := l.client.Instance(ctx, instance)
	if err != nil || !ok || there.Service != w.service {
		return nothing, err
	}
	b.mu.Lock()
	last := r.last
	b.mu.Unlock()
	if told, err := w.registration(instance); err != nil || told.Of(there) {
		return asWanted, err
	}
	if last != nil {
		if told, err := last.registration(instance); err != nil || told.Of(there) {
			return asTold, err
		}
	}
	if found, err := tags.Decode(there.Tags); err == nil && found.Node[record.Mirrored] != "" {
		return mirrored, nil
	}
	return foreign, nil
}

// each calls f for all, some at a time, and joins the errors.
func each[T any](all []T, f func(T) error) error {
	errs := make([]error, len(all))
	next := make(chan int)
	var working sync.WaitGroup
	for range min(atOnce, len(all)) {
		working.Go(func() {
			for i := range next {
				errs[i] = f(all[i])
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	working.Wait()
	return errors.Join(errs...)
}

// why returns why ctx is over.
func (b *backend) why(ctx context.Context) error {
	if b.ctx.Err() != nil {
		return registry.ErrClosed
	}
	return consul.Over(ctx)
}
