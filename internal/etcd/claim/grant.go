package claim

import (
	"context"
	"fmt"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// grantsAtOnce is how many leases are asked for at a time.
	grantsAtOnce = 16
	// sparesMax is how many leases of one time to live are granted ahead. They are
	// asked for several at a time, because that is what etcd does for little more
	// than the price of one.
	sparesMax = 16
)

// leaseFor returns the lease that a claim is to stand on. k.mu is held.
//
// A key that others may claim too gets a lease of its own: go-micro v2 adopts
// the lease that it finds on a key and goes on renewing it, and with it every
// other key that stands on it. Who makes several such claims is likely to make
// more: leases for them are granted ahead, and run out if nobody wants them.
func (k *Keeper) leaseFor(now time.Time, d time.Duration, shared bool) *lease {
	ttl := wholeSeconds(d)
	if shared {
		l := k.shared[ttl]
		if l == nil {
			l = k.newLease(ttl)
			l.shared = true
			k.shared[ttl] = l
		}
		return l
	}
	k.handedOut[ttl]++
	for len(k.spares[ttl]) > 0 {
		l := k.spares[ttl][0]
		k.spares[ttl] = k.spares[ttl][1:]
		l.spare = false
		if l.granting || now.Before(l.stale()) {
			return l
		}
		k.plan(now, l)
	}
	return k.newLease(ttl)
}

func (k *Keeper) newLease(ttl int64) *lease {
	l := newLease(ttl)
	k.leases[l] = struct{}{}
	return l
}

// topUp has leases granted ahead, none for the first two, once half of them are
// gone. It is called after a write, for which they would only be in the way. k.mu
// is held.
func (k *Keeper) topUp(now time.Time, ttl int64) {
	spares := k.spares[ttl]
	want := min(sparesMax, k.handedOut[ttl]-2)
	if len(spares) > want/2 {
		return
	}
	for len(spares) < want {
		l := k.newLease(ttl)
		l.spare = true
		spares = append(spares, l)
		k.plan(now, l)
	}
	k.spares[ttl] = spares
}

// plan puts down when l is to be looked at and when it is to be renewed. It is
// called whenever something about l has changed. k.mu is held.
func (k *Keeper) plan(now time.Time, l *lease) {
	at := now
	if wanted, later := l.wanted(now); !wanted {
		at = later
		if l.id != 0 {
			at = l.expiry()
		}
		if l.spare && l.id != 0 {
			at = l.stale()
		}
		if l.id == 0 && !l.granting && len(l.claims) == 0 {
			at = now // to be forgotten
		}
		if l.locallyExpired && len(l.claims) > 0 {
			at = time.Time{}
		}
	}
	k.leaseDates.set(l, at)
	renewal, due := l.due()
	if !due {
		if renewal, due = l.renewDeadline(); !due {
			renewal = time.Time{}
		}
	}
	before := k.renewing.next()
	k.renewing.set(l, renewal)
	if first := k.renewing.next(); before.IsZero() || first.Before(before) {
		wake(k.renew)
	}
	wake(k.work)
}

// tend does what l needs at this time, but for renewing. k.mu is held.
func (k *Keeper) tend(now time.Time, l *lease) {
	if wanted, _ := l.wanted(now); wanted {
		k.wantGrant(now, l)
		return
	}
	switch {
	case l.granting:
	case l.id == 0 && len(l.claims) == 0, l.spare && !now.Before(l.stale()), len(l.claims) == 0 && !l.spare && !now.Before(l.expiry()):
		k.forget(l)
	case l.id != 0 && !l.spare && !l.locallyExpired && !now.Before(l.expiry()):
		l.locallyExpired = true
		err := k.conn.Link().Err
		for cl := range l.claims {
			k.apply(cl, func(m *machine) { m.onLeaseExpiredLocally(now, l.granted, err) })
		}
	default:
		k.plan(now, l)
	}
}

// forget lets a lease run out. k.mu is held.
func (k *Keeper) forget(l *lease) {
	delete(k.leases, l)
	if k.byID[l.id] == l {
		delete(k.byID, l.id)
	}
	if k.shared[l.ttl] == l {
		delete(k.shared, l.ttl)
	}
	k.spares[l.ttl] = slices.DeleteFunc(k.spares[l.ttl], func(other *lease) bool { return other == l })
	k.leaseDates.set(l, time.Time{})
	k.renewing.set(l, time.Time{})
}

// wantGrant has l granted as soon as that may be. k.mu is held.
func (k *Keeper) wantGrant(now time.Time, l *lease) {
	if k.grants >= grantsAtOnce {
		k.starved = append(k.starved, l)
		return
	}
	if l.used {
		if at := k.budget.Take(now); !at.IsZero() {
			k.leaseDates.set(l, at)
			return
		}
	}
	l.granting = true
	k.grants++
	k.conn.Go(func(ctx context.Context) { k.grant(ctx, l) })
}

// grant obtains a lease for l.
func (k *Keeper) grant(ctx context.Context, l *lease) {
	var resp *clientv3.LeaseGrantResponse
	var sent time.Time
	err := k.conn.Do(ctx, fmt.Sprintf("obtain a lease of %ds", l.ttl), func(ctx context.Context, client *clientv3.Client) (err error) {
		sent = time.Now()
		resp, err = client.Grant(ctx, l.ttl)
		return err
	})
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	l.granting = false
	k.grants--
	starved := k.starved
	k.starved = nil
	for _, other := range starved {
		k.plan(now, other)
	}
	defer k.plan(now, l)
	if err != nil {
		l.spare = false // nobody needs it
		l.retryAt = now.Add(retryBackoff(k.random).Next(l.failures))
		l.failures++
		for cl := range l.claims {
			k.apply(cl, func(m *machine) { m.setTrouble(now, err) })
		}
		return
	}
	k.conn.Counters().Grants.Add(1)
	l.onGranted(int64(resp.ID), time.Duration(resp.TTL)*time.Second, sent)
	k.byID[l.id] = l
	for cl := range l.claims {
		k.apply(cl, func(m *machine) { m.onLeaseGranted(l.id) })
	}
	if len(l.claims) > 0 {
		k.turn(now) // at once: somebody may wait
	}
}

// leaseNotFound takes in that etcd does not know the lease id. k.mu is held.
func (k *Keeper) leaseNotFound(now time.Time, id int64) {
	l := k.byID[id]
	if l == nil {
		return
	}
	delete(k.byID, id)
	k.conn.Counters().LeasesLost.Add(1)
	l.onGone(now, k.spread(l))
	for cl := range l.claims {
		k.apply(cl, func(m *machine) { m.onLeaseNotFound(now) })
	}
	k.plan(now, l)
}

// renewed takes the answer to a renewal.
func (k *Keeper) renewed(id int64, granted time.Duration) {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if granted <= 0 {
		k.leaseNotFound(now, id)
		return
	}
	k.conn.Counters().Renewals.Add(1)
	if l := k.byID[id]; l != nil && l.waiting {
		l.onRenewed(granted)
		k.plan(now, l)
	}
}
