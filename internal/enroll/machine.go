package enroll

import (
	"time"

	"github.com/rollcall-go/micro/internal/ability"
)

// machine decides what an enrolment does next. It holds no clock, lock or
// goroutine: the loop feeds it what happened and when, and carries out what it
// says.
type machine struct {
	// renew is the time between two registrations in a backend that does not
	// renew by itself, zero for one that does.
	renew    time.Duration
	interval time.Duration
	// delay gives the wait after the n-th failure in a row, n from 0.
	delay func(n int) time.Duration

	state    State
	accepted bool           // some Register was accepted and not taken back since
	inFlight bool           // an attempt is running
	failures int            // in a row
	due      time.Time      // when the next attempt starts, unless one is in flight
	begun    time.Time      // when the last one did
	again    bool           // a check was asked for while one was in flight
	observed bool           // the backend has told a status since the last acceptance
	status   ability.Status // that it told last
}

// checkSpacing is the least time between the beginnings of two attempts that were
// asked for: many changes in a row cost few.
const checkSpacing = 200 * time.Millisecond

// attempt is the outcome of one attempt to register or to check again.
type attempt struct {
	node      string // the id it was about, empty if it did not get that far
	err       error
	unhealthy bool // err comes from the service's own check
	withdrawn bool // unhealthy, and the node has been deregistered
}

func newMachine(now time.Time, interval, renew time.Duration, delay func(int) time.Duration) *machine {
	return &machine{
		renew: renew, interval: interval, delay: delay, due: now,
		state: State{Phase: Trying, Reason: "not registered yet", Since: now},
	}
}

// startsAttempt reports whether an attempt is to be started now, and notes that it
// is.
func (m *machine) startsAttempt(now time.Time) bool {
	if m.inFlight || now.Before(m.due) {
		return false
	}
	m.inFlight = true
	m.begun = now
	return true
}

// checkNow brings the next attempt forward, to checkSpacing after the last one
// began at the earliest.
func (m *machine) checkNow(now time.Time) {
	if m.inFlight {
		m.again = true
		return
	}
	soonest := m.begun.Add(checkSpacing)
	if soonest.Before(now) {
		soonest = now
	}
	if soonest.Before(m.due) {
		m.due = soonest
	}
}

// onAttempt takes in the outcome of an attempt and reports whether the state changed.
func (m *machine) onAttempt(a attempt, now time.Time) bool {
	m.inFlight = false
	defer func() {
		if m.again {
			m.again = false
			m.checkNow(now)
		}
	}()
	if a.node != "" {
		m.state.Node = a.node
	}
	switch {
	case a.unhealthy:
		m.failures = 0
		m.due = now.Add(m.period())
		if a.withdrawn {
			m.accepted, m.observed = false, false
		}
		return m.enter(State{Phase: Unhealthy, Reason: "the service's check failed: " + a.err.Error(), Err: a.err}, now)
	case a.err != nil:
		m.due = now.Add(m.delay(m.failures))
		m.failures++
		if m.state.Phase == Displaced || m.state.Phase == Paused {
			return false
		}
		return m.enter(State{Phase: Trying, Reason: a.err.Error(), Err: a.err, lost: m.accepted}, now)
	default:
		m.failures = 0
		m.accepted = true
		m.due = now.Add(m.period())
		if m.observed {
			// The backend itself says what became of the record. A failure since may
			// have hidden it.
			return m.onStatus(m.status, now)
		}
		return m.enter(State{Phase: Registered}, now)
	}
}

// onStatus takes in what a backend that watches over the record says of it, and
// reports whether the state changed.
func (m *machine) onStatus(c ability.Status, now time.Time) bool {
	m.status = c
	switch c.State {
	case ability.Held:
		m.observed, m.accepted = true, true
		return m.enter(State{Phase: Registered}, now)
	case ability.Displaced:
		m.observed = true
		return m.enter(State{Phase: Displaced, Reason: c.Reason, Err: c.Err}, now)
	case ability.Paused:
		m.observed = true
		return m.enter(State{Phase: Paused, Reason: c.Reason, Err: c.Err}, now)
	case ability.Absent:
		if !m.accepted {
			// Before the first acceptance the attempts speak for themselves.
			return false
		}
		m.observed = true
		return m.enter(State{Phase: Trying, Reason: c.Reason, Err: c.Err, lost: true}, now)
	default:
		return false
	}
}

// period is the time from a successful attempt to the next.
func (m *machine) period() time.Duration {
	if m.renew > 0 {
		return min(m.interval, m.renew)
	}
	return m.interval
}

// enter moves to s and reports whether that is another phase or another reason
// than before.
func (m *machine) enter(s State, now time.Time) bool {
	if m.state.Phase == s.Phase && m.state.Reason == s.Reason {
		m.state.Err = s.Err
		return false
	}
	s.Since = now
	s.Node = m.state.Node
	m.state = s
	return true
}
