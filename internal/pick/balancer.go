package pick

import (
	"math/bits"
	"math/rand/v2"

	"github.com/rollcall-go/micro/internal/balance"
)

// Balancer is how one of several nodes that are as good as each other is chosen.
type Balancer int

const (
	// Random chooses any, by their weights.
	Random Balancer = iota
	// RoundRobin chooses them in turn, by their weights.
	RoundRobin
	// LeastLoaded chooses the less loaded one of two that are chosen at random.
	LeastLoaded
)

var balancers = [...]string{"random", "roundrobin", "leastloaded"}

// String returns the balancer as flags name it.
func (b Balancer) String() string { return balancers[b] }

// BalancerOf returns the balancer of a name. It reports false for any other name.
func BalancerOf(name string) (Balancer, bool) {
	for i, known := range balancers {
		if name == known {
			return Balancer(i), true
		}
	}
	return Random, false
}

// draw returns the place of one of n targets, more than zero, by their shares.
func (c *Call) draw(n int, shares *balance.Shares) int {
	switch {
	case c.balancer == RoundRobin && shares != nil:
		return shares.Turn(c.snapshot.Turn())
	case c.balancer == RoundRobin:
		return int(c.snapshot.Turn() % uint64(n))
	case shares != nil:
		return shares.At(c.picker.random())
	default:
		return c.picker.below(n)
	}
}

func (p *Picker) random() uint64 {
	if p.Random != nil {
		return p.Random()
	}
	return rand.Uint64()
}

// below returns any number from 0 to n-1.
func (p *Picker) below(n int) int {
	high, _ := bits.Mul64(p.random(), uint64(n))
	return int(high)
}

// rivals is how often another node is looked for to compare the first one with.
const rivals = 3

// compare puts another target in the place of the one found, at the given place of
// the group, if that one is ready as well and less loaded.
func (c *Call) compare(f *found, at int, targets []Target, shares *balance.Shares) {
	if len(targets) < 2 {
		return
	}
	for range rivals {
		other := c.draw(len(targets), shares)
		if shares == nil && other == at {
			other = (at + 1 + c.picker.below(len(targets)-1)) % len(targets)
		}
		t := &targets[other]
		if other == at || c.excluded(t.Node) || c.rank(*t) != ready {
			continue
		}
		if lighter(*t, *f.target, weightOf(shares, other), weightOf(shares, at)) {
			if f.yielded == f.target {
				f.yielded = t
			}
			f.target = t
		}
		return
	}
}

func weightOf(shares *balance.Shares, at int) float64 {
	if shares == nil {
		return 1
	}
	return max(float64(shares.Weight(at)), 0.5) // one without a share is taken by who draws it all the same
}

// slower is how many times the latency of another node a node's has to be to count.
// Below that latencies differ by chance, and who is a little quicker than all others
// must not get everything.
const slower = 2

// lighter reports whether a should take a call rather than b: it has fewer calls under
// way for its weight, or takes so little time for them that it will be done before.
func lighter(a, b Target, weightA, weightB float64) bool {
	if a.Conn == nil || b.Conn == nil {
		return false
	}
	la, lb := a.Conn.Load(), b.Conn.Load()
	busyA, busyB := float64(la.InFlight())/weightA, float64(lb.InFlight())/weightB
	now := la.Now()
	quickA, quickB := la.Latency(now), lb.Latency(now)
	if quickA > 0 && quickB > 0 && (quickA > slower*quickB || quickB > slower*quickA) {
		return (busyA+1)*float64(quickA) < (busyB+1)*float64(quickB)
	}
	return busyA < busyB
}
