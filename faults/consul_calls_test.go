package faults

import (
	"errors"
	"net/http"
	"testing"
	"time"

	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// Row C1, Consul. Fault: the checks of all nodes of a service, or of its only node,
// become critical together, though the nodes live, and nobody renews them. Bound: no
// call fails; once the only node is gone too, calls find none.
func TestConsulC1AllChecksRunOut(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t)
	for name, n := range map[string]int{"three": 3, "lone": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := memory.NewRegistry()
			var nodes []*fleet.Node
			for range n {
				nodes = append(nodes, fleet.Service(t, name, own, nil))
			}
			ids := unattendedInConsul(t, agent, name, own, n)
			r := fleet.Consul(t, agent.Addr())
			c := fleet.Client(t, r)
			testkit.Eventually(t, patience, "the nodes are listed", func() bool { return fleet.Listed(r, name, n) })
			fleet.MustSay(t, c, name)
			// The control: a client that believes whatever it is told.
			credulous := fleet.Client(t, r)
			if err := credulous.Init(cgrpc.Suspects(false)); err != nil {
				t.Fatal(err)
			}
			fleet.MustSay(t, credulous, name)
			load := fleet.StartLoad(t, c, name, 2, 0)
			load.More(t, 50)
			for _, id := range ids {
				expire(t, agent, id)
			}
			testkit.Eventually(t, patience, "no node is listed", func() bool { return fleet.Listed(r, name, 0) })
			testkit.Eventually(t, patience, "a client without suspects has no node", func() bool {
				return errors.Is(fleet.Say(t.Context(), credulous, name), registry.ErrNotFound)
			})
			load.More(t, times(300, 3000))
			judge(t, load, 350)
			for _, n := range nodes {
				if err := n.Stop(); err != nil {
					t.Fatal(err)
				}
			}
			since(t, time.Now(), "callers know", func() bool { return errors.Is(fleet.Say(t.Context(), c, name), registry.ErrNotFound) })
		})
	}
}

// Row C1, Consul. Fault: the agent is killed and comes back without its data. Bound: no
// call fails, and all nodes are listed again.
func TestConsulC1AgentComesBackEmpty(t *testing.T) {
	t.Parallel()
	const nodes = 3
	agent := testkit.StartConsul(t)
	for range nodes {
		fleet.Service(t, "wiped", fleet.Consul(t, agent.Addr()), nil)
	}
	r := fleet.Consul(t, agent.Addr())
	testkit.Eventually(t, patience, "the nodes are listed", func() bool { return fleet.Listed(r, "wiped", nodes) })
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "wiped")
	load := fleet.StartLoad(t, c, "wiped", 2, 0)
	load.More(t, 50)
	agent.Wipe()
	load.More(t, 50)
	answered := agent.Restart(t)
	took := since(t, answered, "all are listed again", func() bool { return fleet.Listed(r, "wiped", nodes) })
	load.More(t, times(100, 1000))
	within(t, "until all nodes were listed again", took, listedAgain)
	judge(t, load, 200)
}

// Row C1, Consul. Fault: the records of live services, one of three nodes and three of
// one, are deregistered by hand at the agent, one by one and at once, under 50 calls a
// second to each. Bound: no call fails, and the records are back within 3 s.
func TestConsulC1DeregisteredByHand(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t)
	nodes := map[string]int{"three": 3, "one": 1, "two": 1, "more": 1}
	var ids []string
	for name, n := range nodes {
		for range n {
			ids = append(ids, fleet.Service(t, name, fleet.Consul(t, agent.Addr()), nil).ID())
		}
	}
	r := fleet.Consul(t, agent.Addr())
	listed := func() bool {
		for name, n := range nodes {
			if !fleet.Listed(r, name, n) {
				return false
			}
		}
		return true
	}
	testkit.Eventually(t, patience, "all nodes are listed", listed)
	c := fleet.Client(t, r)
	var all []*fleet.Load
	for name := range nodes {
		fleet.MustSay(t, c, name)
		all = append(all, fleet.StartLoad(t, c, name, 1, 20*time.Millisecond))
	}
	for _, what := range []string{"one by one", "at once"} {
		for _, id := range ids {
			strike(t, agent, id)
			if what == "one by one" {
				testkit.Elapse(t, 100*time.Millisecond)
			}
		}
		within(t, "deregistered "+what+": listed again", since(t, time.Now(), "all nodes are listed", listed), 3*time.Second)
	}
	for _, load := range all {
		load.More(t, 50)
		judge(t, load, 60)
	}
}

// Row C1, Consul. Fault: a node is deregistered by hand, and put into maintenance mode
// as soon as it is back. Bound: calls find no node within 3 s, and one again 3 s after
// the maintenance is over.
func TestConsulC1PausedAndDeregistered(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t)
	n := fleet.Service(t, "paused", fleet.Consul(t, agent.Addr()), nil)
	r := fleet.Consul(t, agent.Addr())
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(r, "paused", 1) })
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "paused")
	strike(t, agent, n.ID())
	maintain := func(on string) error {
		_, err := agent.Try(t, http.MethodPut, "/v1/agent/service/maintenance/"+n.ID()+"?reason=a+test&enable="+on, nil)
		return err
	}
	testkit.Passes(t, patience, "the node is in maintenance", func() error { return maintain("true") })
	took := since(t, time.Now(), "callers know", func() bool { return errors.Is(fleet.Say(t.Context(), c, "paused"), registry.ErrNotFound) })
	within(t, "until calls found no node", took, 3*time.Second)
	if err := maintain("false"); err != nil {
		t.Fatal(err)
	}
	took = since(t, time.Now(), "calls succeed", func() bool { return fleet.Say(t.Context(), c, "paused") == nil })
	within(t, "until calls found the node", took, 3*time.Second)
}

// Row C1, Consul. Fault: the last node deregisters. Bound: callers learn of it within
// 1 s of its end.
func TestConsulC1TheLastNodeLeaves(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t)
	n := fleet.Service(t, "leaving", fleet.Consul(t, agent.Addr()), nil)
	r := fleet.Consul(t, agent.Addr())
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(r, "leaving", 1) })
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "leaving")
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	took := since(t, time.Now(), "callers know", func() bool { return errors.Is(fleet.Say(t.Context(), c, "leaving"), registry.ErrNotFound) })
	within(t, "until calls found no node", took, time.Second)
}
