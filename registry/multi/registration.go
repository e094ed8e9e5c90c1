package multi

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// retry says how long to wait after a member has failed.
var retry = backoff.Backoff{Base: defaults.EtcdBaseDelay, Max: defaults.EtcdMaxDelay}

// registration is what is wanted for one node, and a slot in each member, where that
// is brought about. The registry's mutex guards it.
type registration struct {
	id       record.ID
	want     *registry.Service // with that node alone; nil: it is to be in no member
	last     *registry.Service // that was wanted
	ttl      time.Duration
	values   context.Context // of the call that registered it; never done
	settled  bool            // a Register that returned no error stands behind it
	foreign  bool            // it was deregistered, and never registered here
	slots    []*slot
	observed int // times
	status   ability.Observers
}

// slot is a registration in one member. At most one operation is under way.
type slot struct {
	member
	index   int
	cancel  context.CancelFunc // of the operation; nil while there is none
	puts    bool               // the operation is to register
	waiting []waiter           // for an operation that has not begun
	have    *registry.Service  // what the member took last, nil if nothing
	maybe   bool               // the member may have the node: it was told to take it
	renew   bool               // it is time to register again
	err     error              // of the last operation
	fails   int                // in a row
	timer   *time.Timer        // to the next operation; nil while there is none

	told      bool // by the member: status is what it said last
	status    ability.Status
	turn      int // of the observation; what an earlier one says is old
	unobserve func()
	lacking   bool // it was said that the node is not here
}

func idOf(one *registry.Service) record.ID {
	return record.ID{Service: one.Name, Node: one.Nodes[0].Id}
}

// registrationOf returns the registration of a record's node. The caller holds mu.
func (m *multi) registrationOf(one *registry.Service) *registration {
	r := m.registration(idOf(one))
	r.last = one
	return r
}

// registration returns the registration of a node. The caller holds mu.
func (m *multi) registration(id record.ID) *registration {
	r := m.registrations[id]
	if r == nil {
		r = &registration{id: id}
		for i, one := range m.members {
			r.slots = append(r.slots, &slot{member: one, index: i})
		}
		r.status.Tell(ability.Status{State: ability.Absent, Reason: "not registered yet", At: time.Now()})
		m.registrations[id] = r
	}
	return r
}

// forget drops a registration of which there is nothing left to do or to say. The
// caller holds mu.
func (m *multi) forget(r *registration) {
	if r.want != nil || r.observed > 0 {
		return
	}
	for _, s := range r.slots {
		if s.cancel != nil || s.timer != nil || s.maybe || len(s.waiting) > 0 {
			return
		}
	}
	delete(m.registrations, r.id)
}

// wants reports whether the node is to be in s: a member in which an operator paused
// it keeps it out of the others, too.
func (r *registration) wants(s *slot) bool {
	if r.want == nil {
		return false
	}
	for _, other := range r.slots {
		if other != s && other.state().State == ability.Paused && s.state().State != ability.Paused {
			return false
		}
	}
	return true
}

// carryOut brings about in all members what is wanted now, for node i of the call.
// The caller holds mu.
func (m *multi) carryOut(r *registration, c *call, i int) {
	for _, s := range r.slots {
		s.waiting = append(s.waiting, waiter{c, i, s.index})
	}
	m.stepAll(r)
}

func (m *multi) stepAll(r *registration) {
	for _, s := range r.slots {
		m.step(r, s)
	}
	m.tellStatus(r)
	m.forget(r)
}

// step begins the operation that s needs, if it needs one and none is under way. The
// caller holds mu.
func (m *multi) step(r *registration, s *slot) {
	wanted := r.wants(s)
	switch {
	case s.cancel != nil:
		if s.puts && !wanted {
			s.cancel()
		}
	case wanted && (s.have != r.want || s.renew), !wanted && s.maybe:
		m.operate(r, s, wanted)
	default:
		s.answer(false, nil)
	}
}

// answer tells those who wait for an operation.
func (s *slot) answer(done bool, err error) {
	for _, w := range s.waiting {
		w.answer(done, err)
	}
	s.waiting = nil
}

func (s *slot) stopTimer() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

// operate registers the node in the member, or deregisters it. The caller holds mu.
func (m *multi) operate(r *registration, s *slot, put bool) {
	s.stopTimer()
	timeout := m.opts.Timeout
	if timeout <= 0 {
		timeout = defaults.RegistryTimeout
	}
	values := r.values
	if values == nil {
		values = m.ctx
	}
	ctx, cancel := context.WithTimeout(values, timeout)
	detach := context.AfterFunc(m.ctx, cancel)
	waiting, service, ttl := s.waiting, r.want, r.ttl
	if !put {
		service = r.last
	}
	// The member gets a copy: v2's contract does not say that it keeps its hands off.
	theirs := record.CopyService(service)
	begun := m.begin(func() {
		defer detach()
		defer cancel()
		var err error
		if put {
			err = s.Register(theirs, registry.RegisterTTL(ttl), registry.RegisterContext(ctx))
		} else {
			err = s.Deregister(theirs, registry.DeregisterContext(ctx))
		}
		m.finish(r, s, put, service, waiting, err)
	})
	if !begun {
		detach()
		cancel()
		s.answer(false, registry.ErrClosed)
		return
	}
	s.cancel, s.puts, s.renew, s.waiting = cancel, put, false, nil
	s.maybe = s.maybe || put
}

// finish takes in how an operation ended and begins the next one, at once or later.
func (m *multi) finish(r *registration, s *slot, put bool, service *registry.Service, waiting []waiter, err error) {
	m.mu.Lock()
	s.cancel, s.err = nil, err
	unobserve := func() {}
	switch {
	case err != nil:
		s.fails++
	case put:
		s.have, s.fails = service, 0
	default:
		s.have, s.fails, s.maybe = nil, 0, false
		unobserve = s.endObservation()
	}
	if r.foreign && !put {
		s.maybe = false // once is all that was asked for
	}
	for _, w := range waiting {
		w.answer(err == nil, err)
	}
	wanted := r.wants(s)
	switch {
	case len(s.waiting) > 0 || wanted != put && (wanted || s.maybe) || wanted && r.want != service:
		m.step(r, s)
	case err != nil && s.maybe:
		m.stepAfter(r, s, retry.Next(s.fails-1))
	case put && err == nil && !s.renews && r.ttl > 0:
		m.stepAfter(r, s, r.ttl/3)
	}
	m.tellStatus(r)
	m.forget(r)
	observe := put && err == nil && s.observer != nil && s.unobserve == nil && wanted
	turn := s.turn
	m.mu.Unlock()
	unobserve()
	if observe {
		m.observe(r, s, turn)
	}
}

// stepAfter has s looked at again in a while. The caller holds mu.
func (m *multi) stepAfter(r *registration, s *slot, wait time.Duration) {
	if m.ctx.Err() != nil {
		return
	}
	s.stopTimer()
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if s.timer != timer || m.ctx.Err() != nil {
			return
		}
		s.timer, s.renew = nil, true
		m.step(r, s)
		m.forget(r)
	})
	s.timer = timer
}
