package faults

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
)

// Row A1, Consul: the agent cannot be reached for five times the TTL, refused,
// swallowed, frozen, or killed and back with nothing. The node is listed again at most
// 4 s after the agent answers (6 s after silence), every time.
func TestConsulA1AgentAway(t *testing.T) {
	t.Parallel()
	const ttl = 2 * time.Second
	for _, outage := range []struct {
		kind  string
		bound time.Duration
		begin func(*testing.T, *testkit.Consul, *testkit.Proxy)
		end   func(*testing.T, *testkit.Consul, *testkit.Proxy)
	}{
		{"reject", listedAgain,
			func(_ *testing.T, _ *testkit.Consul, p *testkit.Proxy) { p.Cut() },
			func(t *testing.T, _ *testkit.Consul, p *testkit.Proxy) { p.Restore(t) }},
		{"drop", listedAfterSilence,
			func(_ *testing.T, _ *testkit.Consul, p *testkit.Proxy) { p.Blackhole() },
			func(t *testing.T, _ *testkit.Consul, p *testkit.Proxy) { p.Restore(t) }},
		{"freeze", listedAfterSilence,
			func(t *testing.T, c *testkit.Consul, _ *testkit.Proxy) { c.Freeze(t) },
			func(t *testing.T, c *testkit.Consul, _ *testkit.Proxy) { c.Thaw(t); c.WaitReady(t) }},
		{"kill", listedAgain,
			func(_ *testing.T, c *testkit.Consul, _ *testkit.Proxy) { c.Kill() },
			func(t *testing.T, c *testkit.Consul, _ *testkit.Proxy) { c.Restart(t) }},
	} {
		t.Run(outage.kind, func(t *testing.T) {
			t.Parallel()
			agent := testkit.StartConsul(t)
			p := testkit.StartProxy(t, agent.Addr())
			register(t, fleet.Consul(t, p.Addr()), fleet.Record("s", "a"), ttl)
			reader := fleet.Consul(t, agent.Addr())
			testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(reader, "s", 1) })
			rounds, worst := times(1, 100), time.Duration(0)
			for range rounds {
				outage.begin(t, agent, p)
				if outage.kind == "reject" || outage.kind == "drop" {
					// An agent that does not run expires nothing.
					since(t, time.Now(), "the node is gone", func() bool { return fleet.Listed(reader, "s", 0) })
				}
				testkit.Elapse(t, 5*ttl)
				outage.end(t, agent, p)
				back := time.Now()
				worst = max(worst, since(t, back, "the node is listed again", func() bool { return fleet.Listed(reader, "s", 1) }))
				// One that was frozen may let checks run out a moment later.
				stays(t, reader, outage.kind == "freeze", back)
			}
			within(t, fmt.Sprintf("listed again, worst of %d", rounds), worst, outage.bound)
		})
	}
}

// Row A2, Consul: the agent is frozen. No method of a registry takes longer than its
// timeout, and says which agent does not answer; calls go on, and the node comes back.
func TestConsulA2FrozenAgent(t *testing.T) {
	t.Parallel()
	const slack = 500 * time.Millisecond
	agent := testkit.StartConsul(t)
	r := fleet.Consul(t, agent.Addr())
	register(t, r, fleet.Record("leaving", "a"), 2*time.Second)
	n := fleet.Service(t, "called", fleet.Consul(t, agent.Addr()), nil)
	testkit.Eventually(t, patience, "the service is listed", func() bool { return fleet.Listed(r, "called", 1) })
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "called")

	agent.Freeze(t)
	within(t, "slowest method of a registry", slowestMethod(t, r, agent.Addr()), fleet.Timeout+slack)
	fleet.MustSay(t, c, "called")
	agent.Thaw(t)
	n.Until(t, agent.WaitReady(t), listedAfterSilence)
	since(t, time.Now(), "the service is listed", func() bool { return fleet.Listed(r, "called", 1) })
	fleet.MustSay(t, c, "called")
}

// Row A3, Consul: one instance is deregistered by hand, all are, and the agent restarts
// with its data and without. Every live node is listed again at most 3 s after a
// deregistration, 4 s after a restart; a Watcher knows, and so does the node itself;
// calls go on.
func TestConsulA3RecordsVanish(t *testing.T) {
	t.Parallel()
	const count, bound = 20, 3 * time.Second
	agent := testkit.StartConsul(t, testkit.ConsulOnDisk())
	var nodes []*fleet.Node
	for range count {
		// Each has connections of its own, as a process has.
		nodes = append(nodes, fleet.Service(t, "s", fleet.Consul(t, agent.Addr()), nil))
	}
	reader := fleet.Consul(t, agent.Addr())
	testkit.Eventually(t, patience, "all nodes are listed", func() bool { return fleet.Listed(reader, "s", count) })
	seen := fleet.Follow(t, reader, "s")
	caller := fleet.Client(t, fleet.Consul(t, agent.Addr()))
	fleet.MustSay(t, caller, "s")
	again := func(what string, begin time.Time, bound time.Duration) {
		t.Helper()
		within(t, what+": listed again", since(t, begin, "all nodes are listed", func() bool { return fleet.Listed(reader, "s", count) }), bound)
		within(t, what+": seen by a Watcher", since(t, begin, "a Watcher knows all nodes", func() bool { return len(seen.Nodes()) == count }), bound+time.Second)
		for _, n := range nodes {
			testkit.Passes(t, patience, n.ID()+" knows that it is registered", n.Ready)
		}
		fleet.MustSay(t, caller, "s")
	}
	struck := func(gone ...*fleet.Node) time.Time {
		t.Helper()
		events := seen.Events()
		for _, n := range gone {
			strike(t, agent, n.ID())
		}
		begin := time.Now()
		seen.Told(t, begin, events, 1)
		return begin
	}
	again("one deregistered by hand", struck(nodes[0]), bound)
	again("all deregistered by hand", struck(nodes...), bound)
	agent.Kill()
	fleet.MustSay(t, caller, "s") // from what the client knows
	again("killed and restarted", agent.Restart(t), listedAgain)
	agent.Wipe()
	fleet.MustSay(t, caller, "s")
	again("restarted empty", agent.Restart(t), listedAgain)
	if stats := nodes[0].Stats(); stats["registered"] != 1 || stats["registrations_lost"] < 2 {
		t.Errorf("the first node counts %v, want at least 2 losses and to be registered", stats)
	}
}

// Row A3, Consul: an instance is taken out of the catalogue behind its agent's back,
// which repairs that by itself once a minute. Calls go on meanwhile, and the node is
// listed again at most 2 min later.
func TestConsulA3CatalogueIsWrong(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t)
	n := fleet.Service(t, "s", fleet.Consul(t, agent.Addr()), nil)
	r := fleet.Consul(t, agent.Addr())
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(r, "s", 1) })
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "s")
	load := fleet.StartLoad(t, c, "s", 2, 0)
	load.More(t, 50)
	begin := time.Now()
	agent.Do(t, http.MethodPut, "/v1/catalog/deregister", map[string]string{"Node": agent.Node(), "ServiceID": n.ID()})
	testkit.Eventually(t, patience, "the node is not listed", func() bool { return fleet.Listed(r, "s", 0) })
	load.More(t, times(500, 5000))
	if inFull() {
		testkit.Eventually(t, 3*time.Minute, "the node is listed again", func() bool { return fleet.Listed(r, "s", 1) })
		within(t, "listed again", time.Since(begin), 2*time.Minute)
	}
	judge(t, load, 550)
}

// Row A8, Consul: one of three processes is killed with kill -9. It leaves the list at
// most TTL + 1 s later, a caller chooses it no more after one refused dial, and no call
// fails.
func TestConsulA8KillNine(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t)
	killNine(t, fleet.Consul(t, agent.Addr()), 3*time.Second, "--registry=consul", "--registry_address="+agent.Addr())
}

// Row A8, Consul: whoever registered is gone. The node leaves the list at most TTL + 1
// s later, and Consul's catalogue at most 2 min after that.
func TestConsulA8CheckExpires(t *testing.T) {
	t.Parallel()
	const ttl = 3 * time.Second
	agent := testkit.StartConsul(t)
	reader := fleet.Consul(t, agent.Addr())
	w := fleet.Watch(t, reader, nil, registry.WatchService("s"))
	lost := fleet.Consul(t, agent.Addr())
	register(t, lost, fleet.Record("s", "a"), ttl)
	w.Told(t, time.Now(), 0, 1)
	testkit.Elapse(t, 2*ttl) // it is renewed
	if !fleet.Listed(reader, "s", 1) {
		t.Fatal("the node is not renewed")
	}
	fleet.Close(t, lost) // ends its renewals and says nothing
	closed := time.Now()
	within(t, "told by a Watcher", w.Told(t, closed, 1, 1), ttl+time.Second)
	sameOrder(t, "events", w.Said(0), []string{"create s/a", "delete s/a"})
	if !fleet.Listed(reader, "s", 0) {
		t.Error("the node is listed after it left")
	}
	if !inFull() {
		return
	}
	testkit.Eventually(t, 3*time.Minute, "the instance is out of the catalogue", func() bool {
		var entries []any
		agent.Get(t, "/v1/health/service/s", &entries)
		return len(entries) == 0
	})
	within(t, "out of the catalogue", time.Since(closed), ttl+2*time.Minute)
}
