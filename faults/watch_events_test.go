package faults

import (
	"fmt"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
)

// Row B1: 100 nodes in one transaction, a revoked lease with 100 keys, and 1,000
// events to catch up with. All are delivered, in order, at most 2 s after they
// could be.
func TestB1EventsOfABatch(t *testing.T) {
	t.Parallel()
	const batch, backlog, bound = 100, 1000, 2 * time.Second
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	proxy := testkit.StartProxy(t, server.Addr())
	w := fleet.Watch(t, fleet.Registry(t, proxy.Addr()), nil)
	puts := func(name string, n int, opts ...clientv3.OpOption) (ops []clientv3.Op) {
		for i := range n {
			ops = append(ops, putOf(t, name, fmt.Sprintf("node-%04d", i), "1", opts...))
		}
		return ops
	}
	lease, err := client.Grant(t.Context(), 60)
	if err != nil {
		t.Fatal(err)
	}

	begin := time.Now()
	commit(t, client, puts("txn", batch, clientv3.WithLease(lease.ID))...)
	within(t, "transaction of 100 nodes", w.Told(t, begin, 0, batch), bound)
	sameOrder(t, "transaction", w.Said(0), numbered("create", "txn", batch))

	begin = time.Now()
	if _, err := client.Revoke(t.Context(), lease.ID); err != nil {
		t.Fatal(err)
	}
	within(t, "revoked lease of 100 keys", w.Told(t, begin, batch, batch), bound)
	gone := map[string]bool{} // the keys of a lease go in no order
	for _, e := range w.Said(batch) {
		gone[e] = true
	}
	for _, want := range numbered("delete", "txn", batch) {
		if !gone[want] {
			t.Errorf("%s was not delivered", want)
		}
	}

	proxy.Cut()
	for _, put := range puts("backlog", backlog) {
		commit(t, client, put)
	}
	begin = time.Now()
	proxy.Restore(t)
	within(t, "backlog of 1,000 events", w.Told(t, begin, 2*batch, backlog), bound)
	sameOrder(t, "backlog", w.Said(2*batch), numbered("create", "backlog", backlog))
	if n := proxy.Conns(); n < 2 {
		t.Errorf("%d connections: nothing was cut", n)
	}
}

// Row B3: 1,000 changes while watchers and lists start. Every view that begins with
// the list and goes on with the watch is what etcd holds in the end; nothing is
// missed.
func TestB3ChangesDuringTheStart(t *testing.T) {
	t.Parallel()
	const changes, starts, bound = 1000, 10, 2 * time.Second
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	var readers []*caching
	var writing sync.WaitGroup
	wrote := make(chan struct{}, changes)
	var puts []clientv3.Op
	for i := range changes {
		puts = append(puts, putOf(t, "s", fmt.Sprintf("node-%d", i%7), fmt.Sprint(i)))
	}
	writing.Go(func() {
		for i, put := range puts {
			var err error
			if i%5 == 4 { // a delete among them
				_, err = client.Delete(t.Context(), layout.Layout{}.Node("s", fmt.Sprintf("node-%d", (i+3)%7)))
			} else {
				_, err = client.Do(t.Context(), put)
			}
			if err != nil {
				t.Errorf("change %d: %v", i, err)
			}
			wrote <- struct{}{}
		}
	})
	for range starts {
		// Spread over the changes, by their count.
		for range changes / (2 * starts) {
			<-wrote
		}
		readers = append(readers, startCaching(t, fleet.Registry(t, server.Addr()), "s"))
	}
	writing.Wait()
	end := time.Now()
	want := held(t, client, layout.Layout{}.Service("s"))
	var worst time.Duration
	for _, r := range readers {
		worst = max(worst, since(t, end, "a view equals etcd: "+want, func() bool { return r.view() == want }))
	}
	within(t, fmt.Sprintf("%d views that started during %d changes, equal", starts, changes), worst, bound)
	if missed := readers[0].gaps(); missed > 0 {
		t.Errorf("the first reader had to list again %d times", missed)
	}
	if want == "" {
		t.Error("etcd holds nothing in the end")
	}
	if early := readers[0].updates(); early < 100 {
		t.Errorf("the first reader saw %d views: nothing went on while it started", early)
	}
}

// Row B12: a node is deleted while the watcher is cut off, and etcd has compacted
// what it was. The delete is delivered at most 2 s after the link is back, with the
// node's id.
func TestB12DeleteWithoutItsPast(t *testing.T) {
	t.Parallel()
	const bound = 2 * time.Second
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	proxy := testkit.StartProxy(t, server.Addr())
	r := fleet.Registry(t, proxy.Addr())
	commit(t, client, putOf(t, "s", "before", "1"))
	w := fleet.Watch(t, r, nil, registry.WatchService("s"))
	commit(t, client, putOf(t, "s", "during", "1"))
	w.Told(t, time.Now(), 0, 1)

	// While connected: the record is replaced, compacted, deleted and compacted.
	commit(t, client, putOf(t, "s", "during", "2"))
	server.Compact(t)
	commit(t, client, clientv3.OpDelete(layout.Layout{}.Node("s", "during")))
	server.Compact(t)
	w.Told(t, time.Now(), 0, 3)

	proxy.Cut()
	commit(t, client, clientv3.OpDelete(layout.Layout{}.Node("s", "before")))
	server.Compact(t)
	begin := time.Now()
	proxy.Restore(t)
	within(t, "delete of a compacted record", w.Told(t, begin, 3, 1), bound)
	sameOrder(t, "deletes", w.Said(0), []string{"create s/during", "update s/during", "delete s/during", "delete s/before"})
}
