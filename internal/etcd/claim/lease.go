package claim

import "time"

const (
	// renewalLimit is how long the answer to a renewal may take before the
	// connection is suspected.
	renewalLimit = 5 * time.Second
	// recoverySpread is the span over which processes that lost their leases
	// together spread what they do about it.
	recoverySpread = time.Second
)

// lease is one lease in etcd and the claims that stand on it. It survives the
// lease: when one is gone, another is granted under a new id. It does no I/O and
// is guarded by the keeper's mutex.
type lease struct {
	ttl    int64 // what is asked for, in seconds
	shared bool
	claims map[*Claim]struct{}

	id      int64         // 0 while there is none
	granted time.Duration // what etcd gave, which may be more than ttl

	grantedAt      time.Time
	sent           time.Time // last renewal sent, or the grant
	renewed        time.Time // when the last renewal that was answered had been sent
	waiting        bool      // one was sent and not yet answered
	locallyExpired bool      // not renewed for its whole time to live

	spare    bool // granted ahead, for a claim to come
	used     bool // there was one before
	granting bool
	retryAt  time.Time
	failures int
}

func newLease(ttl int64) *lease {
	return &lease{ttl: ttl, claims: make(map[*Claim]struct{})}
}

// wholeSeconds rounds up, to one second at least.
func wholeSeconds(d time.Duration) int64 {
	return max(1, int64((d+time.Second-1)/time.Second))
}

func (l *lease) add(cl *Claim)  { l.claims[cl] = struct{}{} }
func (l *lease) drop(cl *Claim) { delete(l.claims, cl) }

// wanted reports whether a lease is to be granted, and if not yet, when.
func (l *lease) wanted(now time.Time) (bool, time.Time) {
	if l.id != 0 || l.granting || len(l.claims) == 0 && !l.spare {
		return false, time.Time{}
	}
	if now.Before(l.retryAt) {
		return false, l.retryAt
	}
	return true, time.Time{}
}

// onGranted notes that a lease was granted, asked for at sent.
func (l *lease) onGranted(id int64, granted time.Duration, sent time.Time) {
	l.id, l.granted = id, granted
	l.grantedAt, l.sent, l.renewed = sent, sent, sent
	l.waiting, l.locallyExpired = false, false
	l.used = true
	l.failures = 0
}

// onGone notes that the lease is gone. The next is granted after delay, and later
// if this one was young, lest somebody who revokes in a loop keeps etcd busy.
func (l *lease) onGone(now time.Time, delay time.Duration) {
	if now.Sub(l.grantedAt) < restoreSpacing {
		delay = max(delay, restoreSpacing)
	}
	l.id = 0
	l.waiting, l.locallyExpired = false, false
	l.retryAt = now.Add(delay)
}

// due returns when the next renewal is to be sent. An unanswered one is not
// repeated. A lease without claims is left to expire.
func (l *lease) due() (time.Time, bool) {
	if l.id == 0 || l.waiting || len(l.claims) == 0 {
		return time.Time{}, false
	}
	return l.sent.Add(l.granted / 3), true
}

// renewDeadline returns when the renewal under way will have been unanswered for too long.
func (l *lease) renewDeadline() (time.Time, bool) {
	return l.sent.Add(renewalLimit), l.id != 0 && l.waiting
}

// onRenewSent notes that a renewal is sent now.
func (l *lease) onRenewSent(now time.Time) {
	l.sent, l.waiting = now, true
}

// onRenewed notes that etcd renewed the lease.
func (l *lease) onRenewed(granted time.Duration) {
	l.granted = granted
	l.renewed = l.sent
	l.waiting, l.locallyExpired = false, false
}

// renewNow makes a renewal due at once, because the stream that carried the last
// one is gone.
func (l *lease) renewNow() {
	l.waiting = false
	l.sent = l.renewed.Add(-l.granted)
}

// stale returns when a spare lease is too old to begin with.
func (l *lease) stale() time.Time {
	return l.sent.Add(l.granted / 3)
}

// expiry returns when the lease may have run out, for all we know.
func (l *lease) expiry() time.Time {
	return l.renewed.Add(l.granted)
}
