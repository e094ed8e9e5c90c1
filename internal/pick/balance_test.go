package pick

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// busy is a connection with a load of its own.
type busy struct {
	endpoint.Conn
	state endpoint.State
	load  endpoint.Load
}

func (b *busy) State() endpoint.State { return b.state }
func (b *busy) Load() *endpoint.Load  { return &b.load }

// fleet is nodes with the connections to them, all ready, and a picker among them.
type fleet struct {
	Picker
	snapshot *discovery.Snapshot
	conns    map[string]*busy
	clock    *endpoint.Clock
}

// newFleet returns a fleet of nodes whose metadata are given, named 0, 1 and so on. Its
// randomness is the same in each run.
func newFleet(t testing.TB, b Balancer, policy balance.Policy, metadata ...map[string]string) *fleet {
	t.Helper()
	f := &fleet{conns: map[string]*busy{}, clock: endpoint.NewClock()}
	s := &registry.Service{Name: "s", Version: "1"}
	for i, md := range metadata {
		n := node(fmt.Sprint(i))
		n.Metadata = md
		s.Nodes = append(s.Nodes, n)
		f.conns[n.Id] = &busy{state: endpoint.Ready}
		f.conns[n.Id].load.Measure(f.clock)
	}
	f.snapshot = follow(t, script{updates: []feed.Update{{Services: []*registry.Service{s}}}}, 1)
	source := rand.New(rand.NewPCG(1, 2))
	f.Picker = Picker{Balancer: b, Rules: &Rules{Policy: policy, Seed: 7}, Random: source.Uint64,
		Connect: func(_ string, n *registry.Node) (endpoint.Conn, error) { return f.conns[n.Id], nil }}
	f.renew()
	return f
}

// renew makes the targets anew, as a change of the service does.
func (f *fleet) renew() {
	targets := NewTargets(f.snapshot, f.Connect, f.Rules)
	f.Targets = func(*discovery.Snapshot) *Targets { return targets }
}

// spread is how many of n calls, each over at once, go to each node.
func (f *fleet) spread(t *testing.T, n int, opts ...selector.SelectOption) map[string]int {
	t.Helper()
	got := map[string]int{}
	for range n {
		got[next(t, start(t, &f.Picker, f.snapshot, opts...)).Node.Id]++
	}
	return got
}

// done is a call that ends.
type done struct {
	at   time.Duration
	span endpoint.Span
}

type doneHeap []done

func (h doneHeap) Len() int           { return len(h) }
func (h doneHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h doneHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *doneHeap) Push(d any)        { *h = append(*h, d.(done)) }
func (h *doneHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// simulate lets a call begin every gap, which takes as long as its node takes, and
// returns how many each node got and how long a call took on average.
func (f *fleet) simulate(t *testing.T, calls int, gap time.Duration, takes func(id string) time.Duration) (map[string]int, time.Duration) {
	t.Helper()
	got, total, now := map[string]int{}, time.Duration(0), time.Duration(0)
	var pending doneHeap
	for i := range calls {
		for begin := time.Duration(i) * gap; len(pending) > 0 && pending[0].at <= begin; {
			d := heap.Pop(&pending).(done)
			testkit.Elapse(t, d.at-now)
			now = d.at
			d.span.End(nil)
		}
		if begin := time.Duration(i) * gap; begin > now {
			testkit.Elapse(t, begin-now)
			now = begin
		}
		id := next(t, start(t, &f.Picker, f.snapshot)).Node.Id
		got[id]++
		total += takes(id)
		heap.Push(&pending, done{now + takes(id), f.conns[id].load.Begin()})
	}
	for len(pending) > 0 {
		d := heap.Pop(&pending).(done)
		testkit.Elapse(t, d.at-now)
		now = d.at
		d.span.End(nil)
	}
	return got, total / time.Duration(calls)
}

// TestASlowNodeGetsFewCalls: one of ten nodes takes 20 times as long as the others.
func TestASlowNodeGetsFewCalls(t *testing.T) {
	const calls = 20_000
	takes := func(id string) time.Duration {
		if id == "3" {
			return 100 * time.Millisecond
		}
		return 5 * time.Millisecond
	}
	share := map[Balancer]float64{}
	average := map[Balancer]time.Duration{}
	for _, b := range []Balancer{Random, RoundRobin, LeastLoaded} {
		for _, gap := range []time.Duration{time.Millisecond / 2, 10 * time.Millisecond} { // some calls at once, or one
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, b, balance.Policy{}, make([]map[string]string, 10)...)
				got, mean := f.simulate(t, calls, gap, takes)
				share[b], average[b] = float64(got["3"])/calls, mean
				t.Logf("%s, a call each %v: the slow node gets %.2f %%, a call takes %v", b, gap, 100*share[b], mean)
				if b == LeastLoaded {
					for id, n := range got {
						if id != "3" && (n < calls/9/2 || n > calls/9*2) {
							t.Errorf("%s gets %d of %d", id, n, calls)
						}
					}
				}
			})
			if b != LeastLoaded && share[b] < 0.08 {
				t.Errorf("%s: the slow node gets %.3f", b, share[b])
			}
			if b == LeastLoaded && (share[b] > 0.01 || share[b] == 0 || average[b] > average[Random]/2) {
				t.Errorf("the slow node gets %.4f of the calls, which take %v and %v at random", share[b], average[b], average[Random])
			}
		}
	}
}

// TestANodeThatWasSlowIsBack: what was learnt of a node is forgotten.
func TestANodeThatWasSlowIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, LeastLoaded, balance.Policy{}, make([]map[string]string, 4)...)
		slow := true
		takes := func(id string) time.Duration {
			if id == "0" && slow {
				return 500 * time.Millisecond
			}
			return 5 * time.Millisecond
		}
		if got, _ := f.simulate(t, 2000, 10*time.Millisecond, takes); got["0"] > 40 {
			t.Errorf("while it is slow: %v", got)
		}
		slow = false
		f.simulate(t, 6000, 10*time.Millisecond, takes) // a minute
		if got, _ := f.simulate(t, 2000, 10*time.Millisecond, takes); got["0"] < 300 {
			t.Errorf("a minute after: %v", got)
		}
	})
}

func TestWeightsAreShares(t *testing.T) {
	md := func(w string) map[string]string { return map[string]string{"weight": w} }
	for _, b := range []Balancer{Random, RoundRobin, LeastLoaded} {
		const calls = 12_000
		odd := 0
		f := newFleet(t, b, balance.Policy{}, md("300"), md("100"), md("0"), nil, md("heavy"))
		f.Rules.Odd = func(*registry.Node, error) { odd++ }
		f.renew()
		got := f.spread(t, calls)
		x := 0.0
		for id, part := range map[string]float64{"0": 0.5, "1": 1. / 6, "3": 1. / 6, "4": 1. / 6} {
			want := calls * part
			x += math.Pow(float64(got[id])-want, 2) / want
		}
		if x > 16.3 || got["2"] != 0 || odd != 1 { // three degrees of freedom, one in a thousand
			t.Errorf("%s: %v, chi-square %.1f, told of %d", b, got, x, odd)
		}
	}
	f := newFleet(t, Random, balance.Policy{}, md("0"), md("100"))
	f.conns["1"].state = endpoint.Failing
	if got := f.spread(t, 10); got["0"] != 10 {
		t.Errorf("a node without weight is not called though there is no other: %v", got)
	}
}

func TestZone(t *testing.T) {
	md := func(z string) map[string]string { return map[string]string{"zone": z} }
	nodes := []map[string]string{md("a"), md("a"), md("a"), md("a"), md("b"), md("b"), md("b"), md("b"), md("c"), md("c"), md("c"), nil}
	atHome := func(got map[string]int) int { return got["0"] + got["1"] + got["2"] + got["3"] }
	// Four zones, one without a name: three nodes on average, of which half are two.
	f := newFleet(t, Random, balance.Policy{Zone: "a"}, nodes...)
	for broken, want := range []bool{true, true, true, false, false} {
		if broken > 0 {
			f.conns[fmt.Sprint(broken-1)].state = endpoint.Failing
		}
		f.renew()
		const calls = 1200
		got := f.spread(t, calls)
		if home := atHome(got) == calls; home != want {
			t.Errorf("%d of 4 broken: %d of %d calls stay at home", broken, atHome(got), calls)
		}
	}
	f.conns["0"].state, f.conns["1"].state = endpoint.Ready, endpoint.Ready
	f.renew()
	if got := f.spread(t, 100); atHome(got) != 100 {
		t.Errorf("the zone is healthy again: %v", got)
	}
	// The last healthy one is enough, if one says so.
	f = newFleet(t, LeastLoaded, balance.Policy{Zone: "a", ZoneThreshold: -1}, nodes...)
	for _, id := range []string{"0", "1", "2"} {
		f.conns[id].state = endpoint.Silent
	}
	f.renew()
	if got := f.spread(t, 100); got["3"] != 100 {
		t.Errorf("got %v", got)
	}
	// A zone where nobody is: all zones.
	f = newFleet(t, Random, balance.Policy{Zone: "x"}, nodes...)
	if got := f.spread(t, 1200); len(got) != len(nodes) {
		t.Errorf("got %v", got)
	}
	// Calls are tried elsewhere when all at home were tried.
	f = newFleet(t, Random, balance.Policy{Zone: "a"}, md("a"), md("b"))
	c := start(t, &f.Picker, f.snapshot)
	if first, second := next(t, c).Node.Id, next(t, c).Node.Id; first != "0" || second != "1" {
		t.Errorf("%s, then %s", first, second)
	}
}

func TestSubsetIsStable(t *testing.T) {
	const nodes, size = 150, 20
	f := newFleet(t, Random, balance.Policy{Subset: size}, make([]map[string]string, nodes)...)
	before := f.spread(t, 5000)
	if len(before) != size {
		t.Fatalf("%d nodes are called", len(before))
	}
	f.renew()
	for id := range f.spread(t, 5000) {
		if before[id] == 0 {
			t.Errorf("%s is called as well", id)
		}
	}
	for id := range before {
		f.conns[id].state = endpoint.Failing
	}
	if got := f.spread(t, 500); len(got) < 50 {
		t.Errorf("the subset is down: %d nodes are called", len(got))
	}
	// By filters of the program fewer are left than a subset is made for.
	f = newFleet(t, Random, balance.Policy{Subset: size}, make([]map[string]string, nodes)...)
	some := selector.WithFilter(func(s []*registry.Service) []*registry.Service {
		s[0].Nodes = s[0].Nodes[:30]
		return s
	})
	if got := f.spread(t, 2000, some); len(got) != 30 {
		t.Errorf("%d of 30 nodes are called", len(got))
	}
}

func TestWarmUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, Random, balance.Policy{WarmUp: time.Minute}, make([]map[string]string, 5)...)
		all := f.snapshot.Nodes
		f.Rules = &Rules{Policy: f.Rules.Policy} // which have seen none yet
		f.snapshot.Nodes = all[:4]
		f.Rules.Note("s", f.snapshot.Nodes, true)
		f.renew()
		f.snapshot.Nodes = all
		f.Rules.Note("s", f.snapshot.Nodes, true)
		f.renew()
		const calls = 10_000
		for _, step := range []struct{ after, least, most time.Duration }{{0, 0, 2}, {15, 4, 8}, {15, 9, 13}, {29, 17, 22}, {2, 18, 22}} {
			time.Sleep(step.after * time.Second)
			f.renew() // which changes nothing
			if share := time.Duration(f.spread(t, calls)["4"] * 100 / calls); share < step.least || share > step.most {
				t.Errorf("%v later: %d %%", step.after*time.Second, share)
			}
		}
		if f.Targets(f.snapshot).plan.near.sharing.Load() != nil && f.Targets(f.snapshot).plan.near.shares() != nil {
			t.Error("shares are reckoned with when all are equal")
		}
	})
}

// TestNodesOfWeight0AreCalledLast, also by calls that do not get the first node they
// draw, and where those with a weight are of other zones.
func TestNodesOfWeight0AreCalledLast(t *testing.T) {
	md := func(zone, weight string) map[string]string { return map[string]string{"zone": zone, "weight": weight} }
	for _, b := range []Balancer{Random, RoundRobin, LeastLoaded} {
		f := newFleet(t, b, balance.Policy{Zone: "a", ZoneThreshold: -1}, md("a", "0"), md("a", "100"), md("a", "0"), md("b", "100"))
		f.conns["1"].state = endpoint.Connecting
		if got := f.spread(t, 2000); got["3"] != 2000 {
			t.Errorf("%v, another zone has a ready node: %v", b, got)
		}
		f.conns["3"].state = endpoint.Failing
		if got := f.spread(t, 2000); got["0"]+got["2"] != 2000 {
			t.Errorf("%v, no other is ready: %v", b, got)
		}
		f = newFleet(t, b, balance.Policy{}, md("", "100"), md("", "0"), md("", "100"))
		for range 2000 {
			c := start(t, &f.Picker, f.snapshot)
			if got := next(t, c).Node.Id + next(t, c).Node.Id; got != "02" && got != "20" {
				t.Fatalf("%v: two attempts go to %s", b, got)
			}
			if got := next(t, c).Node.Id; got != "1" {
				t.Fatalf("%v: the third attempt goes to %s", b, got)
			}
		}
	}
}

// TestAFilterMakesNobodyNew: nodes that a filter leaves out for long are known all the
// same.
func TestAFilterMakesNobodyNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, Random, balance.Policy{WarmUp: time.Minute}, make([]map[string]string, 3)...)
		only0 := selector.WithFilter(func(services []*registry.Service) []*registry.Service {
			services[0].Nodes = services[0].Nodes[:1]
			return services
		})
		for range 3 {
			f.spread(t, 1, only0)
			time.Sleep(6 * time.Minute)
		}
		f.renew()
		if got := f.spread(t, 3000); got["1"] < 800 || got["2"] < 800 {
			t.Errorf("left out by a filter for a while: %v", got)
		}
	})
}

// TestD10AtMostHalfIsEjected is the picker's side of row D10.
func TestD10AtMostHalfIsEjected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, Random, balance.Policy{}, make([]map[string]string, 5)...)
		breaks := func(ids ...string) {
			for _, id := range ids {
				for !f.conns[id].load.Broke() {
				}
				time.Sleep(time.Millisecond)
			}
		}
		breaks("0")
		if got := f.spread(t, 1000); got["0"] != 0 || len(got) != 4 {
			t.Errorf("one breaks: %v", got)
		}
		breaks("1", "2", "3", "4")
		if got := f.spread(t, 1000); len(got) != 3 {
			t.Errorf("all break: %v", got)
		}
		time.Sleep(2 * time.Second)
		if got := f.spread(t, 1000); len(got) != 5 {
			t.Errorf("after their time: %v", got)
		}
		f = newFleet(t, Random, balance.Policy{}, nil)
		breaks("0")
		if got := f.spread(t, 10); got["0"] != 10 {
			t.Error("the only node is not called")
		}
	})
}

func TestStrategiesOfACall(t *testing.T) {
	f := newFleet(t, Random, balance.Policy{}, make([]map[string]string, 3)...)
	f.conns["0"].load.Enter()
	f.conns["1"].load.Enter()
	if got := f.spread(t, 300, selector.WithStrategy(selector.LeastLoaded)); got["2"] < 150 {
		t.Errorf("least loaded: %v", got)
	}
	if got := f.spread(t, 300, selector.WithStrategy(selector.RoundRobin)); got["0"] != 100 || got["1"] != 100 {
		t.Errorf("round robin: %v", got)
	}
}

func BenchmarkPick(b *testing.B) {
	for _, n := range []int{3, 100} {
		for _, balancer := range []Balancer{Random, RoundRobin, LeastLoaded} {
			b.Run(fmt.Sprintf("%s/%d", balancer, n), func(b *testing.B) {
				f := newFleet(b, balancer, balance.Policy{}, make([]map[string]string, n)...)
				f.Random = nil
				b.ReportAllocs()
				for b.Loop() {
					c, _ := f.Start(f.snapshot, selector.SelectOptions{})
					if ch, _ := c.Next(); ch.Node == nil {
						b.Fatal("none")
					}
				}
			})
		}
	}
}
