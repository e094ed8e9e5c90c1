package faults

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/sync"
	"github.com/rollcall-go/micro/sync/etcd"
)

// TestL7ClusterWithoutItsLeader: the leader of three members of etcd is killed or frozen, and
// stays away. A lock with a TTL of 10 s is held on, and who waits for it gets it in time.
func TestL7ClusterWithoutItsLeader(t *testing.T) {
	t.Parallel()
	for fault, away := range map[string]func(*testing.T, *testkit.Etcd){
		"killed": func(_ *testing.T, e *testkit.Etcd) { e.Kill() },
		"frozen": func(t *testing.T, e *testkit.Etcd) { e.Freeze(t) },
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			const ttl = 10 * time.Second
			c := testkit.StartCluster(t, testkit.OfKind(testkit.Ours))
			open := func() sync.Fencing {
				s := etcd.NewSync(sync.Nodes(c.Addrs()...))
				t.Cleanup(func() { _ = s.(io.Closer).Close() })
				return s.(sync.Fencing)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
			defer cancel()
			held, err := open().Acquire(ctx, "job", sync.LockTTL(ttl))
			if err != nil {
				t.Fatal(err)
			}
			next := make(chan sync.Held, 1)
			waiter := open()
			go func() {
				defer close(next)
				if h, err := waiter.Acquire(ctx, "job", sync.LockTTL(ttl)); err == nil {
					next <- h
				}
			}()
			testkit.Elapse(t, time.Second)
			leader := c.Leader(t)
			away(t, leader)
			testkit.Elapse(t, ttl+2*time.Second)
			if err := held.Err(); err != nil {
				t.Fatalf("the holder, after the leader was %s: %v", fault, err)
			}
			if len(next) > 0 {
				t.Fatal("two hold the lock")
			}
			begun := time.Now()
			if err := held.Release(ctx); err != nil {
				t.Fatal(err)
			}
			h, ok := <-next
			if !ok {
				t.Fatal("who waits does not get the lock")
			}
			within(t, "handed over without the leader", time.Since(begun), 2*time.Second)
			if h.Token() <= held.Token() {
				t.Errorf("token %d after %d", h.Token(), held.Token())
			}
			if fault == "frozen" {
				leader.Thaw(t)
			}
			if err := h.Release(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}
