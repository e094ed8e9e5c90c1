package faults

import (
	"slices"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
)

// Row A16, Consul: of three servers the one that leads is killed or frozen; programs
// talk to a client agent. No call fails and no node is lost, new ones can register and
// a Watcher learns of them within 10 s of the death, 20 s of a freeze, which the other
// servers have to notice first. Then the server is back.
func TestConsulA16ServersWithoutTheirLeader(t *testing.T) {
	t.Parallel()
	for fault, tt := range map[string]struct {
		away  func(*testing.T, *testkit.Consul)
		back  func(*testing.T, *testkit.Consul)
		bound time.Duration
	}{
		"killed": {
			func(_ *testing.T, c *testkit.Consul) { c.Kill() },
			func(t *testing.T, c *testkit.Consul) { c.Restart(t) },
			failover,
		},
		"frozen": {
			func(t *testing.T, c *testkit.Consul) { c.Freeze(t) },
			func(t *testing.T, c *testkit.Consul) { c.Thaw(t) },
			2 * failover,
		},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cluster := testkit.StartConsulCluster(t)
			addr := cluster.Agent.Addr()
			n := fleet.Service(t, "greeter", fleet.Consul(t, addr), nil)
			r := fleet.Consul(t, addr)
			testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(r, "greeter", 1) })
			v, c := fleet.Follow(t, r, "greeter"), fleet.Client(t, fleet.Consul(t, addr))
			fleet.MustSay(t, c, "greeter")
			load := fleet.StartLoad(t, c, "greeter", 2, 10*time.Millisecond)
			leader := cluster.Leader(t)
			began := time.Now()
			tt.away(t, leader)
			late := fleet.Record("greeter", "greeter-late")
			testkit.Passes(t, patience, "Register works", func() error { return r.Register(late, registry.RegisterTTL(10*time.Second)) })
			both := []string{n.ID(), "greeter-late"}
			slices.Sort(both)
			testkit.Eventually(t, patience, "the Watcher knows both nodes", func() bool { return v.Is(both...) })
			within(t, "leader "+fault+": known to a Watcher", time.Since(began), tt.bound)
			testkit.Eventually(t, patience, "both nodes are listed", func() bool {
				there, err := fleet.IDs(r, "greeter")
				return err == nil && slices.Equal(there, both)
			})
			testkit.Passes(t, patience, "the node knows that it is registered", n.Ready)
			if deleted := v.Counted(0, registry.Delete); deleted > 0 {
				t.Errorf("the Watcher was told of %d departures: %q", deleted, v.Said(0))
			}
			if next := cluster.Leader(t); fault == "killed" && next == leader {
				t.Error("the leader has not changed")
			}
			tt.back(t, leader)
			if err := r.Deregister(late); err != nil {
				t.Error(err)
			}
			testkit.Eventually(t, patience, "the Watcher knows one node", func() bool { return v.Is(n.ID()) })
			judge(t, load, 100)
		})
	}
}
