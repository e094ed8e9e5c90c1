package faults

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/cache"
)

// Row B13: 200 services of 20 nodes, of which a process uses 3, while all change.
// What it receives is proportional to the 3, over one watch stream.
func TestB13TrafficIsThatOfTheNamesInUse(t *testing.T) {
	t.Parallel()
	const services, nodes, used, bound = 200, 20, 3, 3.0
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	proxy := testkit.StartProxy(t, server.Addr())
	write := func(text string) (size int64) {
		for s := range services {
			var ops []clientv3.Op
			for n := range nodes {
				put := putOf(t, fmt.Sprintf("service-%03d", s), fmt.Sprintf("node-%02d", n), text)
				size += int64(len(put.KeyBytes()) + len(put.ValueBytes()))
				ops = append(ops, put)
			}
			commit(t, client, ops...)
		}
		return size
	}
	write("before")
	r := fleet.Registry(t, proxy.Addr())
	c := cache.New(r)
	t.Cleanup(c.Stop)
	sees := func(text string) bool {
		for s := range used {
			all, err := c.GetService(fmt.Sprintf("service-%03d", s*50))
			if err != nil || len(all) != 1 || len(all[0].Nodes) != nodes {
				return false
			}
			for _, n := range all[0].Nodes {
				if n.Metadata["text"] != text {
					return false
				}
			}
		}
		return true
	}
	testkit.Eventually(t, patience, "the three services are known", func() bool { return sees("before") })
	start := proxy.Received()
	all := write("after")
	testkit.Eventually(t, patience, "the changes are known", func() bool { return sees("after") })
	got, share := proxy.Received()-start, all*used/services
	t.Logf("measured: %d bytes received while %d were written, %d of them about the names in use: %.2f times, bound %.0f times",
		got, all, share, float64(got)/float64(share), bound)
	if float64(got) > bound*float64(share) {
		t.Errorf("%d bytes received for %d of use", got, share)
	}
	if got < share/2 {
		t.Errorf("%d bytes received, fewer than there are to know: the counter is wrong", got)
	}
	// The client that writes has no watch.
	atMost(t, "watch streams of the process", server.Metric(t, `grpc_server_started_total{grpc_method="Watch",`), 1)
	atMost(t, "connections of the process", proxy.Conns(), 1)
}

// Row B14: 10,000 times Watch and Stop while connections are reset, cut and held.
// The goroutines are as many as before, and 5 at most.
func TestB14WatchersComeAndGo(t *testing.T) {
	const workers, spare, disturbances = 10, 5, 6
	cycles := int64(times(600, 10_000))
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	proxy := testkit.StartProxy(t, server.Addr())
	r := fleet.Registry(t, proxy.Addr())
	w := fleet.Watch(t, r, nil)
	commit(t, client, putOf(t, "s", "node", "start"))
	w.Told(t, time.Now(), 0, 1)
	base := runtime.NumGoroutine()

	var working sync.WaitGroup
	var done, refused, disturbed atomic.Int64
	// A fast machine goes on until enough went wrong on the way.
	enough := func() bool { return done.Load() >= cycles && disturbed.Load() >= disturbances }
	for i := range workers {
		working.Go(func() {
			for !enough() {
				w, err := r.Watch(registry.WatchService(fmt.Sprintf("s%d", i)))
				if err == nil {
					w.Stop()
				} else {
					refused.Add(1)
				}
				done.Add(1)
			}
		})
	}
	for !enough() {
		switch disturbed.Load() % 3 {
		case 0:
			proxy.Reset()
		case 1:
			proxy.Cut()
			testkit.Elapse(t, 20*time.Millisecond)
			proxy.Restore(t)
		case 2:
			proxy.Blackhole()
			testkit.Elapse(t, 20*time.Millisecond)
			proxy.Restore(t)
		}
		disturbed.Add(1)
		testkit.Elapse(t, 300*time.Millisecond)
	}
	working.Wait()
	commit(t, client, putOf(t, "s", "node", "end"))
	testkit.Eventually(t, patience, "the watcher that stayed is told", func() bool { return w.Text("s/node") == "end" })
	more := 0
	testkit.Eventually(t, patience, "the goroutines are as few as before", func() bool {
		more = runtime.NumGoroutine() - base
		return more <= spare
	})
	t.Logf("measured: %d cycles, %d of them refused, %d disturbances", done.Load(), refused.Load(), disturbed.Load())
	atMost(t, "goroutines more than before", more, spare)
	if refused.Load() > done.Load()/2 {
		t.Errorf("too little happened: %d of %d cycles refused", refused.Load(), done.Load())
	}
}
