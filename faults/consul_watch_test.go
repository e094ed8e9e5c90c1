package faults

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
)

// Row B1, Consul: 100 nodes come and go as fast as the agent takes them, and 1,000
// come while the way to it is cut. Every one is told, at most 2 s after the last, 10
// s after the way is back, to a Watcher of the service and to one of all.
func TestConsulB1EventsOfABatch(t *testing.T) {
	t.Parallel()
	const batch, backlog = 100, 1000
	agent := testkit.StartConsul(t)
	proxy := testkit.StartProxy(t, agent.Addr())
	r := fleet.Consul(t, proxy.Addr())
	everything := fleet.Watch(t, r, nil)
	for _, name := range []string{"burst", "backlog"} {
		enrol(t, agent, name, name+"-first", "1") // all of a service that nobody has is no batch
	}
	everything.Told(t, time.Now(), 0, 2)
	burst, late := fleet.Watch(t, r, nil, registry.WatchService("burst")), fleet.Watch(t, r, nil, registry.WatchService("backlog"))
	told := func(what, name, action string, w *fleet.Watcher, n int, begin time.Time, bound time.Duration) {
		t.Helper()
		want := numbered(action, name, n)
		for who, w := range map[string]*fleet.Watcher{"of the service": w, "of all": everything} {
			took := since(t, begin, fmt.Sprintf("a Watcher %s is told of %d", who, n), func() bool { return counted(w.Said(0), want) == n })
			within(t, what+", told to a Watcher "+who, took, bound)
		}
	}
	for i := range batch {
		enrol(t, agent, "burst", fmt.Sprintf("node-%04d", i), "1")
	}
	told("100 nodes come", "burst", "create", burst, batch, time.Now(), 2*time.Second)
	for i := range batch {
		strike(t, agent, fmt.Sprintf("node-%04d", i))
	}
	told("100 nodes go", "burst", "delete", burst, batch, time.Now(), 2*time.Second)

	proxy.Cut()
	for i := range backlog {
		enrol(t, agent, "backlog", fmt.Sprintf("node-%04d", i), "1")
	}
	holds(t, agent, "backlog", backlog+1)
	begin := time.Now()
	proxy.Restore(t)
	told("backlog of 1,000 nodes", "backlog", "create", late, backlog, begin, 10*time.Second)
	sameOrder(t, "backlog", late.Said(0), numbered("create", "backlog", backlog))
}

// counted returns how many of the wanted events were told.
func counted(said, want []string) int {
	slices.Sort(said)
	n := 0
	for _, event := range want {
		if _, ok := slices.BinarySearch(said, event); ok {
			n++
		}
	}
	return n
}

// Row B2, Consul: the way to the agent is cut; meanwhile it loses its data and gets
// half of it back, so that its index is smaller than what was seen. The views equal the
// catalogue at most 4 s after the link is back, and what went is told; calls go on.
func TestConsulB2IndexGoesBack(t *testing.T) {
	t.Parallel()
	const nodes = 40
	agent := testkit.StartConsul(t)
	proxy := testkit.StartProxy(t, agent.Addr())
	r := fleet.Consul(t, proxy.Addr())
	everything, view := fleet.Watch(t, r, nil), startCaching(t, r, "s")
	for i := range nodes {
		enrol(t, agent, "s", fmt.Sprintf("node-%04d", i), "1")
	}
	everything.Told(t, time.Now(), 0, nodes)
	own := fleet.Service(t, "called", fleet.Consul(t, agent.Addr()), nil)
	everything.Told(t, time.Now(), nodes, 1)
	one := fleet.Follow(t, r, "s")
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "called")
	for i := range 100 { // so that the index is far ahead
		enrol(t, agent, "ahead", fmt.Sprint(i), "1")
		strike(t, agent, fmt.Sprint(i))
	}

	proxy.Cut()
	agent.Restart(t) // with nothing
	for i := nodes / 2; i < nodes; i++ {
		enrol(t, agent, "s", fmt.Sprintf("node-%04d", i), "1")
	}
	enrol(t, agent, "s", "node-new", "1")
	holds(t, agent, "s", nodes/2+1)
	for range 20 {
		fleet.MustSay(t, c, "called")
	}
	own.Until(t, time.Now(), listedAgain)
	holds(t, agent, "called", 1)
	want := enrolled(t, agent, "s")
	begin := time.Now()
	proxy.Restore(t)
	within(t, "views equal the catalogue", since(t, begin, "all views equal the catalogue", func() bool {
		all := everything.Nodes()
		for node := range all {
			if node == "called/"+own.ID() {
				delete(all, node)
			}
		}
		return view.view() == want && outline(all) == want && one.Is(idsOf(nodes/2, nodes, "node-new")...)
	}), listedAgain)
	if n := counted(everything.Said(0), numbered("delete", "s", nodes/2)); n != nodes/2 {
		t.Errorf("a Watcher of all is told of %d of %d departures", n, nodes/2)
	}
	if n := one.Counted(0, registry.Delete); n != nodes/2 {
		t.Errorf("a Watcher of the service is told of %d of %d departures", n, nodes/2)
	}
	fleet.MustSay(t, c, "called")
}

func idsOf(from, to int, more ...string) []string {
	for i := from; i < to; i++ {
		more = append(more, fmt.Sprintf("node-%04d", i))
	}
	return more
}

// Row B2, Consul, the other half: being cut off costs less than 1 % of a processor, and
// no more than one line a second is said.
func TestConsulB2CostOfBeingCutOff(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t)
	costOfBeingCutOff(t, fleet.Consul(t, agent.Addr()), testkit.StartProxy(t, agent.Addr()), "consul", func(t testing.TB) { agent.Restart(t) })
}
