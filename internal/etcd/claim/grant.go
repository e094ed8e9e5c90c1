package claim

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// leaseFor returns the lease that a claim is to stand on. k.mu is held.
//
// A key that others may claim too gets a lease of its own: go-micro v2 adopts
// the lease that it finds on a key and goes on renewing it, and with it every
// other key that stands on it.
func (k *Keeper) leaseFor(ttl time.Duration, shared bool) *lease {
	if shared {
		for l := range k.leases {
			if l.shared && l.ttl == wholeSeconds(ttl) {
				return l
			}
		}
	}
	l := newLease(ttl, shared)
	k.leases[l] = struct{}{}
	return l
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
	if err != nil {
		l.retryAt = now.Add(retryPause(k.random).Next(l.failures))
		l.failures++
		for cl := range l.claims {
			k.apply(cl, func(m *machine) { m.troubled(now, err) })
		}
		wake(k.work)
		return
	}
	k.conn.Counters().Grants.Add(1)
	l.begun(int64(resp.ID), time.Duration(resp.TTL)*time.Second, sent)
	for cl := range l.claims {
		k.apply(cl, func(m *machine) { m.leaseReady(l.id) })
	}
	wake(k.renew)
	wake(k.work)
}

// leaseGone tells that etcd does not know the lease id. k.mu is held.
func (k *Keeper) leaseGone(now time.Time, id int64) {
	for l := range k.leases {
		if l.id != id || id == 0 {
			continue
		}
		k.conn.Counters().LeasesLost.Add(1)
		l.ended(now, k.spread(l))
		for cl := range l.claims {
			k.apply(cl, func(m *machine) { m.leaseLost(now) })
		}
	}
	wake(k.work)
}

// renewed takes the answer to a renewal.
func (k *Keeper) renewed(id int64, granted time.Duration) {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if granted <= 0 {
		k.leaseGone(now, id)
		return
	}
	k.conn.Counters().Renewals.Add(1)
	for l := range k.leases {
		if l.id == id && l.waiting {
			l.answered(granted)
		}
	}
	wake(k.renew)
	wake(k.work)
}
