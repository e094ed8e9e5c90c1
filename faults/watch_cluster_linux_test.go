package faults

import (
	"slices"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// Row B5: the member that the registry is connected to is cut off from the other
// two, or falls silent behind a black hole, or is frozen. At most 10 s later
// changes are told by way of another member.
func TestB5ConnectedMemberIsLost(t *testing.T) {
	t.Parallel()
	const bound = 10 * time.Second
	for _, tc := range []struct {
		name  string
		start func(testing.TB) *testkit.Cluster
		lose  func(t *testing.T, c *testkit.Cluster, proxies []*testkit.Proxy, i int)
	}{
		{"isolated", testkit.StartSeparateCluster, func(t *testing.T, c *testkit.Cluster, _ []*testkit.Proxy, i int) { c.Isolate(t, i) }},
		{"black hole", onLoopback, func(_ *testing.T, _ *testkit.Cluster, p []*testkit.Proxy, i int) { p[i].Blackhole() }},
		{"frozen", onLoopback, func(t *testing.T, c *testkit.Cluster, _ []*testkit.Proxy, i int) { c.Members[i].Freeze(t) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := tc.start(t)
			var proxies []*testkit.Proxy
			var addrs []string
			for _, addr := range c.Addrs() {
				p := testkit.StartProxy(t, addr)
				proxies, addrs = append(proxies, p), append(addrs, p.Addr())
			}
			r := etcd.NewRegistry(registry.Addrs(addrs...), registry.Timeout(fleet.Timeout))
			t.Cleanup(func() { fleet.Close(t, r) })
			w, view := fleet.Watch(t, r, nil), startCaching(t, r, "s")
			testkit.Eventually(t, patience, "the view is known", func() bool { return view.updates() > 0 })
			lost := slices.IndexFunc(proxies, func(p *testkit.Proxy) bool { return p.Open() > 0 })
			if lost < 0 {
				t.Fatal("the registry is connected to no member")
			}
			other := c.Members[(lost+1)%len(c.Members)].Client(t)
			commit(t, other, putOf(t, "s", "node", "before"))
			testkit.Eventually(t, patience, "the change is told", func() bool { return w.Text("s/node") == "before" })

			begin := time.Now()
			tc.lose(t, c, proxies, lost)
			// Written again and again: the members may have to elect a leader first.
			var acknowledged time.Time
			testkit.Eventually(t, patience, "the other members take a write", func() bool {
				_, err := other.Do(t.Context(), putOf(t, "s", "node", "after"))
				acknowledged = time.Now()
				return err == nil
			})
			took := since(t, begin, "the change is told by way of another member", func() bool {
				return w.Text("s/node") == "after" && view.view() == "s/node=after"
			})
			t.Logf("measured: the other members took a write after %s", acknowledged.Sub(begin).Round(time.Millisecond))
			within(t, tc.name+", told", took, bound)
			on := slices.IndexFunc(proxies, func(p *testkit.Proxy) bool { return p != proxies[lost] && p.Open() > 0 })
			if on < 0 {
				t.Error("the registry is connected to no other member")
			}
			if tc.name == "frozen" {
				c.Members[lost].Thaw(t)
			}
		})
	}
}

func onLoopback(t testing.TB) *testkit.Cluster { return testkit.StartCluster(t) }

// Row B11: a member is cut off from the other two for 30 s and lags behind. A first
// lookup never misses a node that was registered before the call, though the lagging
// member is among the registry's addresses: it fails, or it is answered in full, and
// who asks again is answered at most 10 s after the first call.
func TestB11LaggingMember(t *testing.T) {
	t.Parallel()
	lasts := times(8*time.Second, 30*time.Second)
	c := testkit.StartSeparateCluster(t)
	const lagging, bound = 0, 10 * time.Second
	writer := fleet.Registry(t, c.Addrs()[1])
	register(t, writer, fleet.Record("s", "before"), 60*time.Second)
	c.Isolate(t, lagging)
	begin := time.Now()
	testkit.Eventually(t, patience, "the other members take a registration", func() bool {
		return writer.Register(fleet.Record("s", "after"), registry.RegisterTTL(60*time.Second)) == nil
	})
	// It does lag: what it has of its own is what was.
	stale, err := c.Members[lagging].Client(t).Get(t.Context(), layout.Layout{}.Node("s", "after"), clientv3.WithSerializable())
	if err != nil {
		t.Fatal(err)
	}
	if len(stale.Kvs) > 0 {
		t.Fatal("the isolated member knows the node: it is not isolated")
	}
	// New registries, as processes that start now: some with the lagging member alone,
	// most with all members, which ask until they are answered.
	const processes = 8
	var asking sync.WaitGroup
	var mu sync.Mutex
	answered, refused := 0, 0
	var slowest time.Duration
	for i := range processes {
		addrs := c.Addrs()
		if i == 0 {
			addrs = addrs[lagging : lagging+1]
		}
		asking.Go(func() {
			for time.Since(begin) < lasts {
				r := etcd.NewRegistry(registry.Addrs(addrs...), registry.Timeout(fleet.Timeout))
				called := time.Now()
				for {
					got, err := fleet.Addresses(r, "s")
					mu.Lock()
					switch {
					case err != nil:
						refused++
					case len(got) == 2:
						answered++
						slowest = max(slowest, time.Since(called))
					default:
						t.Errorf("a lookup over %v returned %v", addrs, got)
					}
					mu.Unlock()
					if err == nil || len(addrs) == 1 {
						break
					}
					if time.Since(called) > patience {
						t.Errorf("no answer over %v in %v: %v", addrs, patience, err)
						break
					}
				}
				fleet.Close(t, r)
				testkit.Elapse(t, 100*time.Millisecond)
			}
		})
	}
	asking.Wait()
	t.Logf("measured: %d first lookups in %s complete, %d attempts refused after %s, no node missed, bound 0",
		answered, time.Since(begin).Round(time.Second), refused, fleet.Timeout)
	within(t, "slowest first lookup over all members", slowest, bound)
	if answered < processes || refused == 0 {
		t.Error("too little happened: some lookups have to reach the quorum, and some the lagging member")
	}
	c.Rejoin(t, lagging)
	r := fleet.Registry(t, c.Addrs()[lagging])
	testkit.Eventually(t, patience, "the member answers again", func() bool { return fleet.Listed(r, "s", 2) })
}
