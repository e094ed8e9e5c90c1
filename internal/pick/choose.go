package pick

import "github.com/rollcall-go/micro/internal/endpoint"

// choose prefers, in this order: registered nodes that are ready, of the client's own
// zone before others, then those that may become so, suspects likewise, then what is
// ejected, what fails, and what is silent.
func (c *Call) choose() Choice {
	p := &c.targets.plan
	var first endpoint.Conn // of what would have been chosen, had it been ready
	var best found
	for _, g := range [...]*group{p.preferred(c), p.near, p.live} {
		if g == nil {
			continue
		}
		f := c.scan(g)
		if first == nil {
			first = f.yielded.Conn
		}
		if f.best > best.best {
			best = f
		}
		if best.best == ready {
			return best.choice(first)
		}
	}
	if best.best > ejected || p.suspects == nil {
		return best.choice(first)
	}
	if f := c.scan(p.suspects); f.best > best.best {
		return f.choice(f.yielded.Conn)
	}
	return best.choice(first)
}

// found is the best target so far.
type found struct {
	best    rank
	target  Target
	yielded Target // what the balancer yielded first
}

// choice returns the choice of what was found. first is the connection to what was to
// be chosen.
func (f *found) choice(first endpoint.Conn) Choice {
	ch := Choice{Target: f.target}
	if first != f.target.Conn {
		ch.Warm = first
	}
	return ch
}

// draws is how many nodes the balancer yields before the rest is gone through in
// order: going on in order at once would give the neighbour of a dead node twice
// its share.
const draws = 4

// scan looks for the best target of a group that was not tried.
func (c *Call) scan(g *group) (f found) {
	n := len(g.targets)
	if n == 0 {
		return f
	}
	shares := g.shares()
	at := 0
	for range min(draws, n) {
		at = c.draw(n, shares)
		if c.consider(&f, g.targets[at], ready) {
			if c.balancer == LeastLoaded {
				c.compare(&f, at, g.targets, shares)
			}
			return f
		}
	}
	for i := range n {
		other, most := (at+i)%n, ready
		if shares != nil && shares.Weight(other) == 0 {
			most = spare
		}
		if c.consider(&f, g.targets[other], most) {
			return f
		}
	}
	return f
}

// consider reports whether the target is ready to take the call. It counts for no more
// than most.
func (c *Call) consider(f *found, t Target, most rank) bool {
	if c.excluded(t.Node) {
		return false
	}
	if f.yielded.Node == nil {
		f.yielded = t
	}
	if r := min(c.rank(t), most); r > f.best {
		f.best, f.target = r, t
	}
	return f.best == ready
}
