package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// leasesAtOnce is how many leases are asked about at a time.
const leasesAtOnce = 8

// remains is what is left of a lease, in seconds. left is negative when the lease
// is gone.
type remains struct{ left, granted int64 }

func (m remains) String() string { return fmt.Sprintf("%d s of %d s", m.left, m.granted) }

// examineLeases asks for what is left of every lease that a node stands on.
func examineLeases(ctx context.Context, r *report, best *visit, nodes []node) map[int64]remains {
	ids := make([]int64, 0, len(nodes))
	for _, n := range nodes {
		if n.lease == 0 {
			r.warn("node.no_lease", n.name(), fmt.Sprintf("register it with a time to live (registry.RegisterTTL); `etcdctl del %s` if nobody runs it", Shell(n.key)),
				"it has no lease: it stays registered when its process is gone")
			continue
		}
		ids = append(ids, n.lease)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 || best.status.Leader == 0 {
		return nil
	}

	var mu sync.Mutex
	var failed error
	known := make(map[int64]remains, len(ids))
	inParallel(leasesAtOnce, len(ids), func(i int) {
		if ctx.Err() != nil {
			mu.Lock()
			defer mu.Unlock()
			failed = cmp.Or(failed, context.Cause(ctx))
			return
		}
		answer, err := best.client.TimeToLive(best.as(ctx), clientv3.LeaseID(ids[i]))
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			failed = err
			return
		}
		known[ids[i]] = remains{answer.TTL, answer.GrantedTTL}
	})
	if failed != nil {
		r.warn("lease.unknown", fmt.Sprintf("%d of %s", len(ids)-len(known), number(len(ids), "lease")), "give it more time with --timeout", "what is left of them cannot be told: %v", best.conn.Explain("look leases up", failed))
	}
	judgeLeases(ctx, r, best, nodes, known)
	return known
}

// judgeLeases reports leases that are gone or were not renewed in time.
func judgeLeases(ctx context.Context, r *report, best *visit, nodes []node, known map[int64]remains) {
	least := remains{left: -1}
	alive := 0
	for _, m := range known {
		if m.left >= 0 {
			alive++
		}
	}
	for _, n := range nodes {
		m, ok := known[n.lease]
		switch {
		case !ok:
			continue
		case m.left < 0:
			// Between the listing and now the node may have left.
			if ctx.Err() != nil {
				continue
			}
			if still, err := best.client.Get(best.as(ctx), n.key); err == nil && len(still.Kvs) > 0 && still.Kvs[0].Lease == n.lease {
				r.problem("node.lease_gone", n.name(), fmt.Sprintf("restart the service; `etcdctl del %s` if it does not run", Shell(n.key)), "lease %x, on which it stands, does not exist", n.lease)
			}
			continue
		case m.left < m.granted/3:
			r.warn("node.lease_late", n.name(), "see whether its process hangs and whether it reaches etcd; a client renews every third of the time", "its lease has %s left", m)
		}
		if least.left < 0 || m.left < least.left {
			least = m
		}
	}
	if alive > 0 {
		r.ok("lease.alive", number(alive, "lease"), "alive; the least that is left of one is %s", least)
	}
}
