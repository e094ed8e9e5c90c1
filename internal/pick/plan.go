package pick

import (
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/internal/record"
)

// plan is the groups that a call goes through, each but the first only if the one
// before has nobody who is ready. Nil groups are passed over.
type plan struct {
	home     *group // the subset's nodes in the client's own zone
	near     *group // the subset, or all live nodes where there is none
	live     *group // all live nodes, if near is a part of them
	suspects *group

	zones     int // among near
	threshold int // percent, see Policy.ZoneThreshold
	counted   atomic.Pointer[headcount]
}

// headcount is whether there are enough healthy nodes at home, as of some time.
type headcount struct {
	at     time.Duration
	enough bool
}

// recount is how long a headcount holds. Meanwhile a node at home that is not ready
// is passed over as any other is.
const recount = 100 * time.Millisecond

// fill makes the plan of the live nodes and suspects of a service.
func (p *plan) fill(r *Rules, service string, live, suspects []Target) {
	if len(suspects) > 0 {
		p.suspects = newGroup(suspects, nil, 0)
	}
	if r == nil {
		p.near = newGroup(live, nil, 0)
		return
	}
	var since []time.Time
	if r.WarmUp > 0 {
		since = r.newcomers.Since(service, time.Now(), r.WarmUp, len(live), func(i int) string { return live[i].Node.Id })
	}
	all := &group{targets: live, since: since}
	near := all
	if size := r.SubsetOf(len(live)); size < len(live) {
		near = all.only(balance.Subset(r.Seed, len(live), size, func(i int) string { return live[i].Node.Id }))
		p.live = newGroup(all.targets, all.since, r.WarmUp)
	}
	p.near = newGroup(near.targets, near.since, r.WarmUp)
	if r.Zone == "" {
		return
	}
	zones := map[string]bool{}
	var home []int
	for i, t := range near.targets {
		zone := t.Node.Metadata[record.Zone]
		zones[zone] = true
		if zone == r.Zone {
			home = append(home, i)
		}
	}
	if len(home) == 0 || len(home) == len(near.targets) {
		return
	}
	h := near.only(home)
	p.home = newGroup(h.targets, h.since, r.WarmUp)
	p.zones, p.threshold = len(zones), r.Threshold()
}

// only returns the members of g at the given places.
func (g *group) only(places []int) *group {
	o := &group{targets: make([]Target, len(places))}
	for i, at := range places {
		o.targets[i] = g.targets[at]
	}
	if g.since != nil {
		o.since = make([]time.Time, len(places))
		for i, at := range places {
			o.since[i] = g.since[at]
		}
	}
	return o
}

// preferred returns the nodes at home, if there are enough that are healthy, else nil.
func (p *plan) preferred(c *Call) *group {
	if p.home == nil {
		return nil
	}
	var now time.Duration
	if conn := p.home.targets[0].Conn; conn != nil {
		now = conn.Load().Now()
	}
	count := p.counted.Load()
	if count == nil || now == 0 || now-count.at >= recount {
		count = &headcount{at: now, enough: p.enough(c)}
		p.counted.Store(count)
	}
	if !count.enough {
		return nil
	}
	return p.home
}

// enough counts the healthy nodes at home: those that nothing is known against.
func (p *plan) enough(c *Call) bool {
	healthy := 0
	for _, t := range p.home.targets {
		if t.weight > 0 && c.rank(t) > ejected {
			healthy++
		}
	}
	return healthy > 0 && 100*healthy*p.zones >= p.threshold*len(p.near.targets)
}
