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
// talk to a client agent. No call fails, no node is told to have left, and a new one is
// known to a Watcher 10 s after the death. A frozen leader blocks the agent itself until
// it goes on or the agent gives it up, which takes a minute: then 10 s after it goes on.
func TestConsulA16ServersWithoutTheirLeader(t *testing.T) {
	t.Parallel()
	for fault, away := range map[string]func(*testing.T, *testkit.Consul) (since time.Time){
		"killed": func(_ *testing.T, c *testkit.Consul) time.Time {
			c.Kill()
			return time.Now()
		},
		"frozen": func(t *testing.T, c *testkit.Consul) time.Time {
			c.Freeze(t)
			testkit.Elapse(t, times(5*time.Second, 20*time.Second))
			c.Thaw(t)
			return time.Now()
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
			began := away(t, leader)
			late := fleet.Record("greeter", "greeter-late")
			testkit.Passes(t, patience, "Register works", func() error { return r.Register(late, registry.RegisterTTL(10*time.Second)) })
			both := []string{n.ID(), "greeter-late"}
			slices.Sort(both)
			testkit.Eventually(t, patience, "the Watcher knows both nodes", func() bool { return v.Is(both...) })
			within(t, "leader "+fault+": known to a Watcher", time.Since(began), failover)
			testkit.Eventually(t, patience, "both nodes are listed", func() bool {
				there, err := fleet.IDs(r, "greeter")
				return err == nil && slices.Equal(there, both)
			})
			testkit.Passes(t, patience, "the node knows that it is registered", n.Ready)
			if deleted := v.Counted(0, registry.Delete); deleted > 0 {
				t.Errorf("the Watcher was told of %d departures: %q", deleted, v.Said(0))
			}
			if fault == "killed" {
				if next := cluster.Leader(t); next == leader {
					t.Error("the leader has not changed")
				}
				leader.Restart(t)
			}
			if err := r.Deregister(late); err != nil {
				t.Error(err)
			}
			testkit.Eventually(t, patience, "the Watcher knows one node", func() bool { return v.Is(n.ID()) })
			load.More(t, 50)
			judge(t, load, 50)
		})
	}
}
