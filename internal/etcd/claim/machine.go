package claim

import (
	"bytes"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
)

const (
	// restoreSpacing is the least time between two writes that put a key back, but
	// for the first. It is what bounds a fight with somebody who deletes in a loop.
	restoreSpacing = 500 * time.Millisecond
	// restoreSpread is the most that is added to restoreSpacing, at random.
	restoreSpread = 1500 * time.Millisecond
	// restoreCalm is how long a key must stay for its next loss to be a first one.
	restoreCalm = 10 * time.Second
	// checkEvery is the time between two looks at whether what we know is still so.
	checkEvery = 30 * time.Second
	// checkGrid is the time between two moments at which a process looks.
	checkGrid = 3 * time.Second
	// deafAfter is how long the watch may lag behind a look before a difference means
	// that it lost something.
	deafAfter = time.Second
	// deniedMax bounds the waits before a watch that etcd refuses is tried again.
	deniedMax = 10 * time.Second
	// lingerTime is how long a released claim watches for a write of its own that
	// was given up unanswered and is carried out late.
	lingerTime = 10 * time.Second
	// previousLeasesMax is how many leases of the past are known as our own.
	previousLeasesMax = 16
)

// machine decides what to do about one key. It does no I/O: it is told
// what was seen, what was answered and what the time is, and next says what to
// send. It is not safe for concurrent use.
//
// Whose key it is follows from its lease alone. A write is always conditional
// on what was last seen, so that two owners never overwrite each other unseen.
type machine struct {
	key, pauseKey string
	pauseText     func(value []byte) string
	value         []byte
	farewell      func(value []byte) []byte // see Spec.Farewell
	random        func() float64            // in [0, 1)
	phase         time.Duration             // of this process within checkGrid

	status  Status
	trouble error // why the last request failed, nil after an answer

	lease          int64   // what the key is to be bound to, 0 while there is none
	previousLeases []int64 // what it was bound to before

	// What is known about the key.
	known bool
	rev   int64         // as of this revision
	entry *mirror.Entry // nil: absent
	check time.Time     // when to look again

	// What is known about the pause key.
	pauseRev      int64
	pause         *mirror.Entry // nil: absent
	pauseDenied   bool          // we may not read it
	pauseDeniedAt time.Time     // when that was found out

	// What is known about the watches of the two.
	watching bool
	losses   int       // in a row
	missed   int64     // the revision after which a look found what they have not told
	deafAt   time.Time // when they will have had the time to tell it; zero: they have

	started      bool // the key was ours once, or is yielded: no more taking over
	yields       bool // see Spec.Yields
	wrote        bool // a write may have reached etcd
	wroteBefore  bool // that was so before the request under way
	farewellSent bool // the farewell was written since the last put, or tried in vain
	releasing    bool
	releasedAt   time.Time // when it was released
	replaced     bool      // another claim of this process took its place

	// The request under way.
	busy         bool
	delayed      []sighting // of the key, in the meantime
	delayedPause []sighting // of the pause key

	// Pacing.
	retryAt          time.Time
	failures         int
	unknownOutcomeAt time.Time // last end of a request whose outcome is unknown
	unbatched        bool      // what is sent next travels alone: a request of several was refused
	restoreAt        time.Time // when the key may be put back
	restores         int       // in a row
	lostAt           time.Time // when the key was last gone
}

// sighting is what a watch reported about a key.
type sighting struct {
	rev   int64
	entry *mirror.Entry // nil: absent
}

func newMachine(spec Spec, now time.Time, random func() float64) *machine {
	pauseText := spec.PauseText
	if pauseText == nil {
		pauseText = func([]byte) string { return "paused by an operator" }
	}
	return &machine{
		pauseText: pauseText,
		key:       spec.Key,
		pauseKey:  spec.PauseKey,
		value:     spec.Value,
		farewell:  spec.Farewell,
		yields:    spec.Yields,
		random:    random,
		status:    Status{State: Absent, Reason: "not yet in etcd", At: now},
	}
}

// next returns what is to be sent now, of kind opNone if nothing is, and the
// time at which to ask again, zero if no time matters.
func (m *machine) next(now time.Time) (claimOp, time.Time) {
	if m.busy {
		return claimOp{}, time.Time{}
	}
	op, due := m.desiredOp()
	switch {
	case op.kind == opNone && m.releasing:
		return op, time.Time{}
	case op.kind == opNone:
		if m.lease == 0 {
			return op, time.Time{}
		}
		op, due = m.looking(now), later(m.check, m.retryAt)
	}
	if now.Before(due) {
		return claimOp{}, due
	}
	op.key, op.unbatched = m.key, m.unbatched || m.pauseDenied && op.pauseKey != ""
	return op, time.Time{}
}

// desiredOp returns the write that what is known calls for, and when it may be sent; the
// zero op if there is nothing to write. A put or a delete takes effect only while the key
// is still as it is known to be.
func (m *machine) desiredOp() (claimOp, time.Time) {
	ours := m.entry != nil && m.owns(m.entry.Lease)
	switch {
	case m.releasing && m.nothingLeft():
		return claimOp{}, time.Time{}
	case m.releasing && m.known:
		return m.del(m.entry.Lease), m.retryAt
	case m.releasing:
		return m.del(m.lastLease()), m.retryAt
	case m.lease == 0: // it is being granted
		return claimOp{}, time.Time{}
	case !m.known: // perhaps absent
		return m.put(0), later(m.retryAt, m.restoreAt)
	case m.pause != nil && ours:
		return m.del(m.entry.Lease), m.retryAt
	case m.pause != nil: // and the key is absent or another's
		return claimOp{}, time.Time{}
	case m.entry == nil: // never written, or it vanished
		return m.put(0), later(m.retryAt, m.restoreAt)
	case m.entry.Lease == m.lease && bytes.Equal(m.entry.Value, m.value): // as it should be
		return claimOp{}, time.Time{}
	case ours: // with an older value or under an older lease
		return m.put(m.entry.ModRevision), later(m.retryAt, m.restoreAt)
	case !m.started && !m.yields: // what an earlier process left is taken over
		return m.put(m.entry.ModRevision), m.retryAt
	default: // another owner came after us, and keeps it
		return claimOp{}, time.Time{}
	}
}

// put returns the write of the value under our lease, for a key whose last change is
// that of revision expect, 0 if it is absent, and whose node nobody has paused, as far as
// we may read that.
func (m *machine) put(expect int64) claimOp {
	op := claimOp{kind: opPut, value: m.value, expect: expect, lease: m.lease}
	if !m.pauseDenied || m.pause != nil {
		op.pauseKey = m.pauseKey
	}
	return op
}

// del returns the delete of the key under lease, or the farewell before it.
func (m *machine) del(lease int64) claimOp {
	if m.farewell != nil && !m.farewellSent {
		return claimOp{kind: opFarewell, value: m.farewell(m.value), lease: lease}
	}
	return claimOp{kind: opDelete, lease: lease}
}

// looking returns the op that reads both keys. The right to read the pause key, if
// it was missing, may have been given since.
func (m *machine) looking(now time.Time) claimOp {
	op := claimOp{kind: opLook}
	if !m.pauseDenied || now.Sub(m.pauseDeniedAt) >= checkEvery/2 {
		op.pauseKey = m.pauseKey
	}
	return op
}

func (m *machine) owns(lease int64) bool {
	return lease != 0 && (lease == m.lease || slices.Contains(m.previousLeases, lease))
}

// lastLease is the lease under which the key was last written.
func (m *machine) lastLease() int64 {
	if m.lease == 0 && len(m.previousLeases) > 0 {
		return m.previousLeases[len(m.previousLeases)-1]
	}
	return m.lease
}

// nothingLeft reports whether nothing of ours can be in etcd, as far as is known.
func (m *machine) nothingLeft() bool {
	return !m.busy && (!m.wrote || m.known && (m.entry == nil || !m.owns(m.entry.Lease)))
}

// finished reports whether a released claim has nothing left to watch for.
func (m *machine) finished(now time.Time) bool {
	if !m.releasing || !m.nothingLeft() {
		return false
	}
	settled := m.unknownOutcomeAt.IsZero() || m.releasedAt.Sub(m.unknownOutcomeAt) >= lingerTime
	return settled || now.Sub(m.releasedAt) >= lingerTime
}

// unasked reports whether what is sent now makes something good that nobody waits
// for.
func (m *machine) unasked() bool {
	return m.started && !m.releasing || m.failures > 0
}

// settled reports whether the claim is where it is to be: held with the present
// value, or kept out.
func (m *machine) settled() bool {
	switch m.status.State {
	case Held:
		return m.entry != nil && bytes.Equal(m.entry.Value, m.value)
	case Displaced, Paused:
		return true
	default:
		return false
	}
}

// draw returns a random part of d.
func (m *machine) draw(d time.Duration) time.Duration {
	return time.Duration(m.random() * float64(d))
}

// deniedEvery is how far apart the attempts get at the delete of what was given up, while
// etcd refuses it for want of a right.
const deniedEvery = time.Minute

// retryBackoff spaces the attempts at something that etcd did not answer.
func retryBackoff(random func() float64) backoff.Backoff {
	return backoff.Backoff{Base: 100 * time.Millisecond, Max: time.Second, Rand: random}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
