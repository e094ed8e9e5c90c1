package consul

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/consul"
)

// look is the mean time between two looks at the agent's checks while something is
// registered: so soon is a node put back that the agent lost.
const look = time.Second

// keep starts the goroutine that renews, unless it runs. The caller holds mu.
func (b *backend) keep() {
	if b.keeping {
		return
	}
	b.keeping = true
	b.running.Go(func() {
		for {
			shortest, ok := b.round()
			if !ok {
				return
			}
			wait := min(look, shortest/3)
			timer := time.NewTimer(wait*4/5 + rand.N(wait*2/5))
			select {
			case <-timer.C:
			case <-b.wake:
			case <-b.ctx.Done():
			}
			timer.Stop()
		}
	})
}

// disturb makes the goroutine that renews look now.
func (b *backend) disturb() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// round looks once at everything that is registered here and makes good what is not
// as it should be. It returns the shortest time to live there is, and false when
// nothing is left to keep.
func (b *backend) round() (shortest time.Duration, ok bool) {
	b.mu.Lock()
	if b.ctx.Err() != nil {
		b.mu.Unlock()
		return 0, false
	}
	shortest = time.Hour
	var all []*registration
	leaving := map[string][]*registration{} // by service
	var instances []string
	for _, r := range b.registrations {
		switch {
		case r.wanted == nil:
			continue
		case r.leaving:
			leaving[r.id.Service] = append(leaving[r.id.Service], r)
		case r.instance != "":
			all = append(all, r)
			instances = append(instances, r.instance)
		case r.settled: // registered over another link, or never confirmed
			all = append(all, r)
		}
		shortest = min(shortest, r.wanted.ttl)
	}
	if b.keeping = len(b.registrations) > 0 && b.anyWanted(); !b.keeping {
		b.mu.Unlock()
		return 0, false
	}
	timeout := b.opts.Timeout
	b.mu.Unlock()
	// An agent that hangs must not cost the time of the renewals that it would take.
	ctx, cancel := context.WithTimeout(b.ctx, max(min(timeout, shortest/2), 500*time.Millisecond))
	defer cancel()
	// What cannot be taken out now is tried again in the next round.
	for _, some := range leaving {
		_ = b.withdraw(ctx, some)
	}
	if len(all) == 0 {
		return shortest, true
	}
	slices.Sort(instances)
	asked := time.Now()
	var checks map[string]consul.Check
	err := b.do(ctx, func(ctx context.Context, l *link) (err error) {
		checks, err = l.client.Checks(ctx, instances)
		return err
	})
	_ = each(all, func(r *registration) error {
		if err != nil {
			b.doubt(r, err)
			return nil
		}
		b.tend(ctx, r, asked, checks)
		return nil
	})
	return shortest, true
}

// anyWanted reports whether there is something to keep. The caller holds mu.
func (b *backend) anyWanted() bool {
	for _, r := range b.registrations {
		if r.wanted != nil {
			return true
		}
	}
	return false
}

// tend does for r what the agent's checks ask for, which were asked for then.
func (b *backend) tend(ctx context.Context, r *registration, asked time.Time, checks map[string]consul.Check) {
	if r.take(ctx) != nil {
		return
	}
	defer r.giveBack()
	b.mu.Lock()
	w, leaving, instance, renewed, displaced := r.wanted, r.leaving, r.instance, r.renewed, r.displaced
	b.mu.Unlock()
	if w == nil || leaving || renewed.After(asked) {
		return
	}
	check, there := checks[consul.CheckID(instance)]
	there = there && check.ServiceName == w.service // the id is not another's by now
	due := w.tcp == 0 && time.Since(renewed) >= w.ttl/3-look/2
	var err error
	switch {
	case !there:
		// The agent lost it: it was restarted without its data, or told so by somebody, or
		// told of another service's node by the same id.
		b.mu.Lock()
		r.renewed, r.displaced = time.Time{}, false
		b.mu.Unlock()
		if instance != "" {
			r.post(ability.Absent, "the agent of Consul lost it", nil)
			b.restored.Add(1)
		}
		err = b.do(ctx, func(ctx context.Context, l *link) error { return b.publish(ctx, l, r) })
	case displaced && check.Status == consul.Passing && !due:
	case w.tcp == 0 && check.Status != consul.Passing, due:
		err = b.do(ctx, func(ctx context.Context, l *link) error {
			there, err := b.contentOf(ctx, l, r, w, instance)
			if err != nil {
				return err
			}
			// A bridge that wrote over what its service had registered a moment before is not
			// the newer owner: the service takes its record back.
			if (there == foreign || there == mirrored && w.yields) && check.Status == consul.Passing {
				b.displace(r, w)
				return nil
			}
			if there != asWanted { // nobody renews what is there
				b.mu.Lock()
				r.renewed, r.displaced = time.Time{}, false
				b.mu.Unlock()
			}
			return b.publish(ctx, l, r)
		})
	}
	if err != nil {
		b.doubt(r, err)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.wanted != w || r.leaving || r.displaced {
		return
	}
	for _, c := range checks {
		if c.Status == consul.Critical && c.Maintained() && (c.ServiceID == instance || c.ServiceID == "") {
			r.post(ability.Paused, fmt.Sprintf("an operator set the maintenance mode: %s", c.Notes), nil)
			return
		}
	}
	if w.tcp > 0 && check.Status == consul.Critical {
		r.post(ability.Absent, fmt.Sprintf("the agent of Consul cannot connect to %s: %s", w.nodeAddress, check.Output), nil)
		return
	}
	r.post(ability.Held, "", nil)
}

// displace notes that another process registered the same node.
func (b *backend) displace(r *registration, w *wanted) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.wanted != w || r.leaving {
		return
	}
	r.displaced, r.renewed = true, time.Now()
	r.post(ability.Displaced, fmt.Sprintf("another process registered the node %q of %q at the same agent: give each its own id", w.node, w.service), nil)
}

// doubt notes that the agent could not be asked about r: once its time is over, it is
// not known to be registered.
func (b *backend) doubt(r *registration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.wanted == nil || r.leaving || b.ctx.Err() != nil || time.Since(r.renewed) < r.wanted.ttl {
		return
	}
	if s := r.observers.Status(); s.State == ability.Absent && s.Err != nil {
		return // it was said already; what is in the way may change its words
	}
	r.post(ability.Absent, "the agent of Consul does not answer as it should", err)
}

// Renews reports that registrations are renewed here.
func (b *backend) Renews() bool { return true }

// Yields reports that a registration marked by ability.WithYield takes nothing over.
// Between the look at what the agent knows and the write there is a moment.
func (b *backend) Yields() bool { return true }
