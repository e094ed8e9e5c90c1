package multi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// Register registers every node of s in all members. It returns when all have
// answered, or shortly after each node is in one of them; where it is not yet, that is
// tried again until it is. If a node is in none, the error says why for each
// member, and what was not registered before is taken back.
func (m *multi) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	if err := record.Check(s); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	var o registry.RegisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := m.usable(); err != nil {
		return fmt.Errorf("register %q: %w", s.Name, err)
	}
	ctx, cancel := m.bound(o.Context)
	defer cancel()
	if ctx.Err() != nil {
		return fmt.Errorf("register %q: %w", s.Name, settings.Ended(ctx))
	}
	records := record.Split(record.CopyService(s))
	values := m.ctx
	if o.Context != nil {
		values = context.WithoutCancel(o.Context)
	}

	m.mu.Lock()
	c := newCall(len(records), len(m.members))
	for i, one := range records {
		r := m.registrationOf(one)
		r.want, r.ttl, r.values, r.foreign = one, o.TTL, values, false
		m.carryOut(r, c, i)
	}
	m.mu.Unlock()
	err := m.await(ctx, c, grace, func() bool { return c.without == 0 })

	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range records {
		r := m.registrations[idOf(one)]
		switch {
		case r == nil || r.want != one: // somebody else has the say now
		case err == nil:
			r.settled = true
		case !r.settled:
			r.want = nil
			m.stepAll(r)
		}
	}
	return doing(fmt.Sprintf("register %q", s.Name), err)
}

// Deregister removes the nodes of s from all members. Those that do not answer
// shortly after another one has are named in the error; there it goes on beside.
func (m *multi) Deregister(s *registry.Service, opts ...registry.DeregisterOption) error {
	if err := record.Check(s); err != nil {
		return fmt.Errorf("deregister: %w", err)
	}
	var o registry.DeregisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := m.usable(); err != nil {
		return fmt.Errorf("deregister %q: %w", s.Name, err)
	}
	ctx, cancel := m.bound(o.Context)
	defer cancel()
	m.mu.Lock()
	records := record.Split(record.CopyService(s))
	c := newCall(len(records), len(m.members))
	for i, one := range records {
		r := m.registrations[idOf(one)]
		if r == nil || r.last == nil { // registered by somebody else, perhaps
			r = m.registrationOf(one)
			r.foreign = true
			for _, s := range r.slots {
				s.maybe = true
			}
		}
		r.want, r.settled = nil, false
		m.carryOut(r, c, i)
	}
	m.mu.Unlock()
	// The nodes are given up in any case.
	err := settings.Ended(o.Context)
	if err == nil {
		err = m.await(ctx, c, farewell, func() bool { return c.left == 0 && !c.failed() })
	}
	return doing(fmt.Sprintf("deregister %q", s.Name), err)
}

// call is a Register or Deregister that waits for members. The registry's mutex guards
// it.
type call struct {
	left     int     // answers to come
	taken    []bool  // by node: a member has done as it was told
	without  int     // nodes of which none has
	errs     []error // by member, the first
	answered []int   // by member, how many times
	progress chan struct{}
}

func newCall(nodes, members int) *call {
	return &call{
		left: nodes * members, taken: make([]bool, nodes), without: nodes,
		errs: make([]error, members), answered: make([]int, members), progress: make(chan struct{}, 1),
	}
}

// waiter is one answer that a call waits for.
type waiter struct {
	call         *call
	node, member int
}

// answer notes what became of it. done says that the member did as it was told.
func (w waiter) answer(done bool, err error) {
	c := w.call
	c.left--
	c.answered[w.member]++
	if done && !c.taken[w.node] {
		c.taken[w.node] = true
		c.without--
	}
	if err != nil && c.errs[w.member] == nil {
		c.errs[w.member] = err
	}
	select {
	case c.progress <- struct{}{}:
	default:
	}
}

// failed reports whether a member answered with an error.
func (c *call) failed() bool { return errors.Join(c.errs...) != nil }

// farewell is the grace of Deregister: the process often ends soon after, and then
// nothing goes on beside.
const farewell = 1500 * time.Millisecond

// await waits for the answers to c: for all, or the grace after each node has one that
// is good, or until ctx is done. It returns nil if enough, asked under the mutex, says
// that it is well, and otherwise what the members said.
func (m *multi) await(ctx context.Context, c *call, grace time.Duration, enough func() bool) error {
	var over <-chan time.Time
	for waiting := true; waiting; {
		m.mu.Lock()
		all, some := c.left == 0, c.without == 0
		m.mu.Unlock()
		if all {
			break
		}
		if some && over == nil {
			timer := time.NewTimer(grace)
			defer timer.Stop()
			over = timer.C
		}
		select {
		case <-c.progress:
		case <-over:
			waiting = false
		case <-ctx.Done():
			waiting = false
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if enough() {
		return nil
	}
	if m.ctx.Err() != nil {
		return registry.ErrClosed
	}
	var failed failures
	for i, one := range m.members {
		err := c.errs[i]
		if err == nil && c.answered[i] < len(c.taken) {
			err = errors.New("it has not answered in time")
			if cause := settings.Ended(ctx); cause != nil {
				err = fmt.Errorf("it has not answered: %w", cause)
			}
		}
		failed.add(one, err)
	}
	return failed.or(settings.Ended(ctx))
}
