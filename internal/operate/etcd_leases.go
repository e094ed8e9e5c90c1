package operate

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Lease is what is left of the time for which a node stays registered without a
// sign of life.
type Lease struct {
	// Left is less than zero when the lease is gone.
	Left, Granted time.Duration
}

// Fresh reports whether somebody has renewed the lease lately: who renews does so
// whenever a third of the time is over. etcd counts in seconds.
func (l Lease) Fresh() bool { return l.Left+time.Second >= l.Granted-l.Granted/3 && l.Left >= 0 }

// String is made for "lease left: 12 s of 15 s".
func (l Lease) String() string {
	if l.Left < 0 {
		return "none"
	}
	return fmt.Sprintf("%d s of %d s", int64(l.Left/time.Second), int64(l.Granted/time.Second))
}

// leasesAtOnce is how many leases are asked about at a time, mostLeases how many
// altogether.
const leasesAtOnce, mostLeases = 8, 500

// Standing returns what is left of the leases of nodes, as far as they are among the
// first few hundred.
func (o *inEtcd) Standing(ctx context.Context, nodes []Node) map[string]Standing {
	left := o.leases(ctx, nodes)
	all := make(map[string]Standing)
	for _, n := range nodes {
		if l, ok := left[n.at.(place).lease]; ok {
			all[n.Id] = Standing{Lease: &l}
		}
	}
	return all
}

// leases returns what is left of the leases of nodes, by their ids.
func (o *inEtcd) leases(ctx context.Context, nodes []Node) map[int64]Lease {
	var ids []int64
	for _, n := range nodes {
		if lease := n.at.(place).lease; lease != 0 {
			ids = append(ids, lease)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	ids = ids[:min(len(ids), mostLeases)]

	left := make(map[int64]Lease, len(ids))
	var mu sync.Mutex
	var all sync.WaitGroup
	next := make(chan int64)
	for range min(leasesAtOnce, len(ids)) {
		all.Go(func() {
			for id := range next {
				if l, err := o.lease(ctx, id); err == nil {
					mu.Lock()
					left[id] = l
					mu.Unlock()
				}
			}
		})
	}
	for _, id := range ids {
		next <- id
	}
	close(next)
	all.Wait()
	return left
}

func (o *inEtcd) lease(ctx context.Context, id int64) (l Lease, err error) {
	err = o.conn.Do(ctx, fmt.Sprintf("look up lease %x", id), func(ctx context.Context, c *clientv3.Client) error {
		answer, err := c.TimeToLive(ctx, clientv3.LeaseID(id))
		if err == nil {
			l = Lease{time.Duration(answer.TTL) * time.Second, time.Duration(answer.GrantedTTL) * time.Second}
		}
		return err
	})
	return l, err
}
