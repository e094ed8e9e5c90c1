package faults

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// failover bounds how long a cluster of three and the registries in it may take to
// go on without the member that they talked to.
const failover = 10 * time.Second

// openOnLeader returns a registry in all members of a cluster, closed with the
// test, that talks to the leader through the proxy. Registries choose a member by
// chance, so it opens several.
func openOnLeader(t *testing.T, c *testkit.Cluster, leader *testkit.Etcd, proxy *testkit.Proxy) registry.Registry {
	t.Helper()
	addrs := []string{proxy.Addr()}
	for _, e := range c.Members {
		if e != leader {
			addrs = append(addrs, e.Addr())
		}
	}
	for range 100 {
		before := proxy.Conns()
		r := etcd.NewRegistry(registry.Addrs(addrs...), registry.Timeout(fleet.Timeout))
		if _, err := r.ListServices(); err != nil {
			t.Fatal(err)
		}
		if proxy.Conns() > before {
			t.Cleanup(func() { fleet.Close(t, r) })
			return r
		}
		fleet.Close(t, r)
	}
	t.Fatal("no registry chooses the leader")
	return nil
}

// Row A16: the leader of three members of our server is killed or frozen, and all
// registries talk to it. The node that is registered stays or comes back, new ones
// can register, and a Watcher learns of them, each within 10 s. Then the leader
// returns, with all that happened without it.
func TestA16ClusterWithoutItsLeader(t *testing.T) {
	t.Parallel()
	for fault, tt := range map[string]struct {
		away func(*testing.T, *testkit.Etcd)
		back func(*testing.T, *testkit.Etcd)
	}{
		"killed": {
			func(_ *testing.T, e *testkit.Etcd) { e.Kill() },
			func(t *testing.T, e *testkit.Etcd) { e.Restart(t) },
		},
		"frozen": {
			func(t *testing.T, e *testkit.Etcd) { e.Freeze(t) },
			func(t *testing.T, e *testkit.Etcd) { e.Thaw(t) },
		},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			c := testkit.StartCluster(t, testkit.OfKind(testkit.Ours))
			leader := c.Leader(t)

			// All talk to the leader, the worst case.
			proxy := testkit.StartProxy(t, leader.Addr())
			open := func() registry.Registry { return openOnLeader(t, c, leader, proxy) }
			n := fleet.Service(t, "greeter", open(), nil)
			n.Until(t, n.Began(), 5*time.Second)
			r := open()
			v, caller := fleet.Follow(t, r, "greeter"), fleet.Client(t, open())
			fleet.MustSay(t, caller, "greeter")

			began := time.Now()
			tt.away(t, leader)
			fleet.MustSay(t, caller, "greeter") // from what the client knows
			next := c.Leader(t)
			if next == leader {
				t.Fatal("the leader has not changed")
			}
			elected := time.Since(began)

			var tries atomic.Int32
			late := &registry.Service{Name: "greeter", Version: "2", Nodes: []*registry.Node{{Id: "greeter-late", Address: "127.0.0.1:9"}}}
			testkit.Eventually(t, failover, "Register works again", func() bool {
				tries.Add(1)
				return r.Register(late) == nil
			})
			registered := time.Since(began)
			both := []string{n.ID(), "greeter-late"}
			testkit.Eventually(t, failover, "the Watcher knows both nodes", func() bool { return v.Is(both...) })
			seen := time.Since(began)
			testkit.Eventually(t, failover, "both nodes are listed", func() bool {
				there, err := fleet.IDs(r, "greeter")
				slices.Sort(both)
				return err == nil && slices.Equal(there, both)
			})
			testkit.Eventually(t, failover, "the node knows that it is registered", func() bool { return n.Ready() == nil })
			t.Logf("leader %s: another one after %v, Register works after %v (attempt %d), seen by a Watcher after %v", fault,
				elected.Round(time.Millisecond), registered.Round(time.Millisecond), tries.Load(), seen.Round(time.Millisecond))
			within(t, "known to a Watcher", seen, failover)

			tt.back(t, leader)
			client := leader.Client(t)
			testkit.Eventually(t, failover, "the former leader answers with what was registered without it", func() bool {
				there, err := client.Get(t.Context(), "/micro/registry/greeter/greeter-late")
				return err == nil && there.Count == 1
			})
			if err := r.Deregister(late); err != nil {
				t.Error(err)
			}
			testkit.Eventually(t, failover, "the Watcher knows one node", func() bool { return v.Is(n.ID()) })
			fleet.MustSay(t, caller, "greeter")
		})
	}
}
