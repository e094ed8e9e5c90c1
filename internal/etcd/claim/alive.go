package claim

import (
	"context"
	"slices"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
)

// aliveAtOnce is how many leases are asked about at a time.
const aliveAtOnce = 8

// Alive reports for each lease whether it exists. It returns an error if that
// cannot be told of all of them.
func Alive(ctx context.Context, c *etcd.Conn, ids []int64) ([]bool, error) {
	unique := slices.Compact(slices.Sorted(slices.Values(ids)))
	alive, err := leasesAlive(ctx, c, unique)
	if err != nil {
		return nil, err
	}
	answer := make([]bool, len(ids))
	for i, id := range ids {
		answer[i] = alive[id]
	}
	return answer, nil
}

// leasesAlive asks about each of ids, which must not repeat.
func leasesAlive(ctx context.Context, c *etcd.Conn, ids []int64) (map[int64]bool, error) {
	alive := make(map[int64]bool, len(ids))
	err := c.Do(ctx, "look leases up", func(ctx context.Context, client *clientv3.Client) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		var mu sync.Mutex
		var wg sync.WaitGroup
		slots := make(chan struct{}, aliveAtOnce)
		for _, id := range ids {
			if id == 0 {
				continue
			}
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				resp, err := client.TimeToLive(ctx, clientv3.LeaseID(id))
				if err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				alive[id] = resp.GrantedTTL > 0
			})
		}
		wg.Wait()
		return context.Cause(ctx)
	})
	return alive, err
}
