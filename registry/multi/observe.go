package multi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/logger"
)

// ObserveRegistration reports what becomes of a node's record over all members. It is
// paused if an operator took it out in one of them, and held if one of them has it;
// otherwise displaced if another process holds it in one of them, and absent if not.
func (m *multi) ObserveRegistration(service, node string, observe func(ability.Status)) (stop func()) {
	ctx, cancel := context.WithCancel(m.ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.registration(record.ID{Service: service, Node: node})
	l, done := r.status.Add(), make(chan struct{})
	if !m.begin(func() {
		defer close(done)
		l.Listen(ctx, observe)
	}) {
		cancel()
		return func() {}
	}
	r.observed++
	return sync.OnceFunc(func() {
		cancel()
		<-done
		r.status.Remove(l)
		m.mu.Lock()
		defer m.mu.Unlock()
		r.observed--
		m.forget(r)
	})
}

// observe has the member say what becomes of the node in s.
func (m *multi) observe(r *registration, s *slot, turn int) {
	stop := s.observer.ObserveRegistration(r.id.Service, r.id.Node, func(status ability.Status) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if s.turn != turn || status.State == ability.Absent && !s.told && s.have != nil && status.Err == nil {
			return // over, or from before the node was registered
		}
		s.told, s.status = true, status
		m.stepAll(r)
	})
	m.mu.Lock()
	if s.turn == turn && s.unobserve == nil && m.ctx.Err() == nil {
		s.unobserve, stop = stop, func() {}
	}
	m.mu.Unlock()
	stop()
}

// endObservation makes the slot as if nothing had been observed, and returns what ends
// the observation, which may wait for the mutex. The caller holds mu.
func (s *slot) endObservation() (stop func()) {
	stop = s.unobserve
	s.turn++
	s.told, s.status, s.unobserve = false, ability.Status{}, nil
	if stop == nil {
		return func() {}
	}
	return stop
}

func (m *multi) unobserveAll() (stops []func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.registrations {
		for _, s := range r.slots {
			stops = append(stops, s.endObservation())
		}
	}
	return stops
}

// state says what is known of the node in the member: what the member says, otherwise
// how the last operation ended.
func (s *slot) state() ability.Status {
	switch {
	case s.told:
		return s.status
	case s.have != nil && s.err == nil:
		return ability.Status{State: ability.Held}
	case s.err != nil:
		return ability.Status{State: ability.Absent, Reason: s.err.Error(), Err: s.err}
	default:
		return ability.Status{State: ability.Absent, Reason: "not registered yet"}
	}
}

// tellStatus tells the observers of r if anything has changed, and the log if the
// members differ. The caller holds mu.
func (m *multi) tellStatus(r *registration) {
	now := r.merged()
	if was := r.status.Status(); !was.Same(now) {
		now.At = time.Now()
		r.status.Tell(now)
	}
	for _, s := range r.slots {
		there := s.state()
		lacks := now.State == ability.Held && there.State != ability.Held && (there.Err != nil || s.told)
		switch {
		case lacks && !s.lacking:
			s.lacking = true
			logger.Logf(logger.WarnLevel, "Registry [multi] Node is not in all registries: %s: %s: %s: %s", r.id.Node, s.label, there.State, there.Reason)
		case s.lacking && there.State == ability.Held:
			s.lacking = false
			logger.Logf(logger.InfoLevel, "Registry [multi] Node is in the registry as well: %s: %s", r.id.Node, s.label)
		}
	}
}

// merged returns the status over all members.
func (r *registration) merged() ability.Status {
	if r.want == nil {
		if r.last == nil || r.foreign {
			return ability.Status{State: ability.Absent, Reason: "not registered yet"}
		}
		return ability.Status{State: ability.Released, Reason: "deregistered"}
	}
	for _, state := range []ability.State{ability.Paused, ability.Held, ability.Displaced} {
		for _, s := range r.slots {
			switch there := s.state(); {
			case there.State != state:
			case state == ability.Held:
				return ability.Status{State: state}
			default:
				return ability.Status{State: state, Reason: s.label + ": " + there.Reason, Err: there.Err}
			}
		}
	}
	var why failures
	for _, s := range r.slots {
		there := s.state()
		if !s.told && s.err == nil {
			continue // nothing is known of it yet
		}
		why.add(s.member, errors.New(there.Reason))
		if there.Err != nil && there.Err.Error() == there.Reason {
			why[len(why)-1] = fmt.Errorf("%s: %w", s.label, there.Err)
		}
	}
	if len(why) == 0 {
		return ability.Status{State: ability.Absent, Reason: "not registered yet"}
	}
	return ability.Status{State: ability.Absent, Reason: why.Error(), Err: why}
}
