package pick

// choose prefers, in this order: registered nodes that are ready, of the client's own
// zone before others, then those that may become so, suspects likewise, then what is
// ejected, what fails, and what is silent.
func (c *Call) choose() Choice {
	p := &c.targets.plan
	var f found
	if home := p.preferred(c); home != nil && c.scan(&f, home) {
		return f.choice()
	}
	if p.near != nil && c.scan(&f, p.near) || p.live != nil && c.scan(&f, p.live) {
		return f.choice()
	}
	if f.best <= ejected && p.suspects != nil {
		var suspect found
		if c.scan(&suspect, p.suspects); suspect.best > f.best {
			return suspect.choice()
		}
	}
	return f.choice()
}

// found is the best target so far.
type found struct {
	best    rank
	target  *Target // nil if there is none
	yielded *Target // what the balancer yielded first
}

// choice returns the choice of what was found.
func (f *found) choice() Choice {
	if f.target == nil {
		return Choice{}
	}
	ch := Choice{Target: *f.target}
	if f.yielded != f.target && f.yielded.Conn != f.target.Conn {
		ch.Warm = f.yielded.Conn
	}
	return ch
}

// draws is how many nodes the balancer yields before the rest is gone through in
// order: going on in order at once would give the neighbour of a dead node twice
// its share.
const draws = 4

// scan looks in a group for a target that was not tried and is better than what was
// found. It reports whether one is ready.
func (c *Call) scan(f *found, g *group) bool {
	n := len(g.targets)
	if n == 0 {
		return false
	}
	shares := g.shares()
	at := 0
	for range min(draws, n) {
		at = c.draw(n, shares)
		if c.consider(f, &g.targets[at], ready) {
			if c.balancer == LeastLoaded {
				c.compare(f, at, g.targets, shares)
			}
			return true
		}
	}
	for i := range n {
		other, most := (at+i)%n, ready
		if shares != nil && shares.Weight(other) == 0 {
			most = spare
		}
		if c.consider(f, &g.targets[other], most) {
			return true
		}
	}
	return false
}

// consider reports whether the target is ready to take the call. It counts for no more
// than most.
func (c *Call) consider(f *found, t *Target, most rank) bool {
	if c.excluded(t.Node) {
		return false
	}
	if f.yielded == nil {
		f.yielded = t
	}
	if r := min(c.rank(*t), most); r > f.best {
		f.best, f.target = r, t
	}
	return f.best == ready
}
