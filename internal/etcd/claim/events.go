package claim

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/refusal"
)

// onSent notes that op was sent.
func (m *machine) onSent(op claimOp) {
	m.busy = true
	m.wroteBefore = m.wrote
	m.wrote = m.wrote || op.kind == opPut
	m.farewellSent = m.farewellSent || op.kind == opFarewell
}

// onAnswer takes in the answer to op.
func (m *machine) onAnswer(now time.Time, op claimOp, r opResult) {
	m.busy = false
	if op.kind == opPut && (r.ok || r.err != nil && !r.refused) {
		m.farewellSent = false
	}
	switch {
	case r.err != nil && op.kind == opFarewell:
		m.known = false // the delete follows all the same
	case r.err != nil:
		m.failed(now, op, r)
	case r.ok && op.kind == opFarewell:
		m.answered(op, r)
		m.entry = &mirror.Entry{Key: m.key, Value: op.value, Lease: op.lease, ModRevision: r.rev}
	case r.ok && op.kind == opPut:
		m.answered(op, r)
		m.entry = nil // what changes is our own doing, not a loss
		m.setKnown(now, &mirror.Entry{Key: m.key, Value: op.value, Lease: op.lease, ModRevision: r.rev})
	case r.ok:
		m.answered(op, r)
		m.entry = nil
		m.setKnown(now, nil)
	default:
		m.compare(now, op, r)
		m.answered(op, r)
		m.setKnown(now, r.key)
	}
	if r.err == nil && (m.watching || m.covers(op)) {
		m.check = m.nextCheck(now)
	}
	delayed, delayedPause := m.delayed, m.delayedPause
	m.delayed, m.delayedPause = nil, nil
	for _, s := range delayed {
		m.onKey(now, s)
	}
	for _, s := range delayedPause {
		m.onPauseKey(now, s)
	}
	m.settle(now)
}

// covers reports whether the answer to op tells of all keys that we may read, so
// that they can be watched from there.
func (m *machine) covers(op claimOp) bool {
	return op.pauseKey != "" || m.pauseKey == "" || m.pauseDenied
}

// nextCheck returns when to look again: at one of few moments, so that the claims
// of a process look together.
func (m *machine) nextCheck(now time.Time) time.Time {
	return now.Add(checkEvery + m.draw(checkGrid)).Truncate(checkGrid).Add(m.phase)
}

// compare notes what a look found out that the watches have not told. If they do
// not tell it soon, they lost it.
func (m *machine) compare(now time.Time, op claimOp, r opResult) {
	news := !sameEntry(r.key, m.entry) || op.pauseKey != "" && !m.pauseDenied && !sameEntry(r.pause, m.pause)
	if op.kind == opLook && m.watching && m.known && news {
		m.missed, m.deafAt = max(m.rev, m.pauseRev), now.Add(deafAfter)
	}
}

func sameEntry(a, b *mirror.Entry) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ModRevision == b.ModRevision
}

// deaf reports whether the watches lost something, once.
func (m *machine) deaf(now time.Time) bool {
	if m.deafAt.IsZero() || now.Before(m.deafAt) {
		return false
	}
	m.deafAt = time.Time{}
	return true
}

// heard notes that a watch told something of that revision.
func (m *machine) heard(rev int64) {
	m.losses = 0
	if rev > m.missed {
		m.deafAt = time.Time{}
	}
}

// onWatching notes that both keys are watched from what is known on.
func (m *machine) onWatching() { m.watching = true }

// onWatchLost notes that a watch was lost: what is known has to be looked at, and
// watched from there.
func (m *machine) onWatchLost(now time.Time, denied bool) {
	m.watching, m.deafAt = false, time.Time{}
	m.delayed, m.delayedPause = nil, nil // of a history that is over
	retry := retryBackoff(m.random)
	if denied {
		retry.Max = deniedMax
	}
	delay := time.Duration(0)
	if m.losses > 0 {
		delay = retry.Next(m.losses - 1)
	}
	m.losses++
	m.verify(now, delay)
}

func (m *machine) answered(op claimOp, r opResult) {
	m.failures = 0
	m.unbatched = false
	m.retryAt = time.Time{}
	m.trouble = nil
	m.rev = r.rev
	m.known = true
	if op.pauseKey != "" {
		m.pauseDenied = false
		m.pauseRev = r.rev
		m.pause = r.pause
	}
}

func (m *machine) failed(now time.Time, op claimOp, r opResult) {
	m.known = m.known && op.kind == opLook
	switch {
	case r.leaseNotFound:
		return // the keeper tells that the lease is lost
	case r.refused:
		m.unbatched = true
		m.wrote = m.wroteBefore
	case op.kind != opLook:
		m.unknownOutcomeAt = now
	}
	wait := retryBackoff(m.random)
	if r.denied && m.releasing {
		wait.Max = deniedEvery // nobody waits, and only who grants the right can help
	}
	m.retryAt = now.Add(wait.Next(m.failures))
	if r.denied && op.unbatched {
		// Perhaps it is only the pause key that we may not read.
		m.pauseDenied, m.pauseDeniedAt = op.pauseKey != "", now
		if m.pauseDenied {
			m.retryAt = now // without it
		}
	}
	m.failures++
	m.setTrouble(now, r.err)
}

// onKey takes in what the watch reports about the key.
func (m *machine) onKey(now time.Time, s sighting) {
	m.heard(s.rev)
	if m.busy {
		// What the answer will say may be newer.
		m.delayed = append(m.delayed, s)
		return
	}
	if s.rev > m.rev || s.rev == m.rev && !m.known {
		m.rev = s.rev
		m.known = true
		m.check = m.nextCheck(now)
		m.setKnown(now, s.entry)
	}
	m.settle(now)
}

// onPauseKey takes in what the watch reports about the pause key.
func (m *machine) onPauseKey(now time.Time, s sighting) {
	m.heard(s.rev)
	if m.busy {
		m.delayedPause = append(m.delayedPause, s)
		return
	}
	if s.rev > m.pauseRev {
		m.pauseRev = s.rev
		m.pause = s.entry
	}
	m.settle(now)
}

// setKnown takes e as the present state of the key.
func (m *machine) setKnown(now time.Time, e *mirror.Entry) {
	ours := m.entry != nil && m.owns(m.entry.Lease)
	switch {
	case ours && e == nil:
		m.lost(now)
	case ours && m.owns(e.Lease) && !bytes.Equal(e.Value, m.entry.Value) && !bytes.Equal(e.Value, m.value) && !m.farewellSent:
		m.lost(now) // somebody wrote over the value and left the lease
	}
	m.entry = e
	if e != nil && m.owns(e.Lease) {
		m.started = true
	}
}

// lost paces the write that undoes what somebody did to the key.
func (m *machine) lost(now time.Time) {
	if now.Sub(m.lostAt) > restoreCalm {
		m.restores = 0
	}
	m.lostAt = now
	m.restoreAt = now
	if m.restores > 0 {
		m.restoreAt = now.Add(restoreSpacing + m.draw(min(restoreSpread, restoreSpacing/4<<min(m.restores, 8))))
	}
	m.restores++
}

// settle derives the status from what is known.
func (m *machine) settle(now time.Time) {
	ours := m.entry != nil && m.owns(m.entry.Lease)
	switch {
	case m.replaced:
	case m.releasing:
		if m.nothingLeft() {
			m.enter(now, Released, "released", nil)
		}
	case !m.known:
	case m.pause != nil:
		if !ours {
			m.enter(now, Paused, m.pauseText(m.pause.Value), nil)
		}
	case m.entry == nil:
		switch m.status.State {
		case Held:
			m.enter(now, Absent, "the key vanished from etcd", nil)
		case Displaced:
			m.enter(now, Absent, "the other owner's key went away", nil)
		case Paused:
			m.enter(now, Absent, "the pause is over", nil)
		}
	case m.entry.Lease == m.lease:
		m.enter(now, Held, "", nil)
	case ours || !m.started && !m.yields: // about to be written
	case m.entry.Lease == 0:
		m.enter(now, Displaced, "the key was written by another owner, without a lease", nil)
	default:
		m.enter(now, Displaced, fmt.Sprintf("the key is held under lease %016x by another owner", m.entry.Lease), nil)
	}
}

func (m *machine) enter(now time.Time, s State, reason string, err error) {
	next := Status{State: s, Reason: reason, Err: err, At: now}
	if next.Same(m.status) {
		return
	}
	if next.State == m.status.State {
		next.At = m.status.At
	}
	m.status = next
}

// refused reports whether it is not worth waiting for the claim, because somebody has
// to mend what its trouble is. A missing right counts once the write was refused with
// and without the look at the pause key, which another right may be missing for.
func (m *machine) refused() bool {
	kind := refusal.Of(m.trouble)
	return kind != refusal.None && (kind != refusal.Right || m.failures > 2)
}

// setTrouble notes that something the claim needs failed.
func (m *machine) setTrouble(now time.Time, err error) {
	m.trouble = err
	if m.status.State == Absent {
		m.enter(now, Absent, m.status.Reason, err)
	}
}

// onLeaseGranted notes the lease that the key is to be bound to from now on.
func (m *machine) onLeaseGranted(id int64) {
	m.lease = id
}

// onLeaseNotFound notes that etcd does not know the lease, and with it the key is
// gone.
func (m *machine) onLeaseNotFound(now time.Time) {
	if m.lease == 0 {
		return
	}
	m.previousLeases = append(m.previousLeases, m.lease)
	if n := len(m.previousLeases) - previousLeasesMax; n > 0 {
		m.previousLeases = slices.Delete(m.previousLeases, 0, n)
	}
	m.lease = 0
	m.known = false
	m.retryAt = time.Time{}
	if m.status.State == Held {
		m.enter(now, Absent, "the lease ran out or was revoked", nil)
	}
}

// onLeaseExpiredLocally notes that the lease was not renewed for its whole time to
// live, by our clock; etcd did not say so.
func (m *machine) onLeaseExpiredLocally(now time.Time, ttl time.Duration, err error) {
	m.known = false
	if m.status.State == Held {
		m.enter(now, Absent, fmt.Sprintf("etcd did not answer for %v, the lease may have run out", ttl), err)
	}
}

// verify asks for a look at whether what is known is still so, after delay.
func (m *machine) verify(now time.Time, delay time.Duration) {
	m.failures = 0
	m.check = now.Add(delay)
	m.retryAt = m.check
	if m.releasing || !m.started {
		m.known = false // the next write finds out
	}
}

// update sets the value that the key is to have.
func (m *machine) update(value []byte) {
	m.value = value
	m.unbatched = false
}

// stopTakeover notes that somebody else may have the key from now on.
func (m *machine) stopTakeover(now time.Time) {
	m.started = true
	m.settle(now)
}

// release gives the claim up.
func (m *machine) release(now time.Time) {
	if m.releasing {
		return
	}
	m.releasing = true
	m.releasedAt = now
	m.settle(now)
}

// onReleaseTimeout notes that Release returned before etcd confirmed the delete.
func (m *machine) onReleaseTimeout(now time.Time, err error) {
	m.enter(now, Released, "released, and etcd did not confirm that the key is gone", err)
}

// onReplaced notes that another claim of this process took the key over.
func (m *machine) onReplaced(now time.Time) {
	m.replaced = true
	m.enter(now, Displaced, "the key was claimed again by this process", nil)
}
