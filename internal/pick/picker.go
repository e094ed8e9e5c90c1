package pick

import (
	"math/rand/v2"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// State is how far the connection to a node is.
type State int

const (
	// Ready: a call is written at once.
	Ready State = iota
	// Idle: there is no connection, and nothing is known against one.
	Idle
	// Connecting: the connection is being made.
	Connecting
	// Failing: the last attempt to connect failed.
	Failing
)

// Picker is the rule by which the calls of one client choose. The zero value
// chooses at random among nodes that all count as ready. A Picker in use must
// not be changed; it is then safe for concurrent use.
type Picker struct {
	// RoundRobin chooses the nodes in turn instead of at random.
	RoundRobin bool
	// Strategy is one that the program wrote. Nil means the built-in one.
	Strategy selector.Strategy
	// State tells how ready a node is. It is called several times per choice and
	// must be quick. Nil means that every node is Ready.
	State func(*registry.Node) State
	// Names returns the names of the services that are known, for suggestions in
	// errors. Nil means none.
	Names func() []string
	// Registry names the registry and its address in errors.
	Registry string
}

// Choice is the node for one attempt.
type Choice struct {
	Node *registry.Node
	// Warm is the node that the strategy would have taken, had it been ready. It
	// is to be connected in the background. Nil if there is none.
	Warm *registry.Node
}

// Call is one call's succession of choices. It is not safe for concurrent use.
type Call struct {
	picker   *Picker
	snapshot *discovery.Snapshot
	live     []*registry.Node
	suspects []*registry.Node
	next     selector.Next // of a strategy that the program wrote, else nil

	first   [2]*registry.Node // tried, without allocating
	tried   int
	further []*registry.Node
}

// Start begins a call to the service of the snapshot. Without filters and with a
// built-in strategy it works on the snapshot itself; otherwise on a private
// shallow copy, which filters and strategy may reorder and cut. The error is an
// [*Error].
func (p *Picker) Start(s *discovery.Snapshot, so selector.SelectOptions) (Call, error) {
	c := Call{picker: p, snapshot: s, live: s.Nodes, suspects: s.Suspects}
	if len(c.live) == 0 && len(c.suspects) == 0 {
		return c, p.Missing(s, s.Err)
	}
	strategy := so.Strategy
	if strategy == nil {
		strategy = p.Strategy
	}
	if strategy == nil && len(so.Filters) == 0 {
		return c, nil
	}

	services := narrow(s.Services, so.Filters)
	c.live, c.suspects = nodesOf(services), nil
	if len(s.Suspects) > 0 {
		routed := narrow(s.Routing, so.Filters)
		c.suspects = among(nodesOf(routed), s.Suspects)
		if len(c.live) == 0 {
			services = routed
		}
	}
	if len(c.live) == 0 && len(c.suspects) == 0 {
		return c, p.failure(s, Filtered, nil)
	}
	if strategy != nil {
		c.next = strategy(services)
	}
	return c, nil
}

func narrow(services []*registry.Service, filters []selector.Filter) []*registry.Service {
	services = record.CopyShallow(services)
	for _, filter := range filters {
		services = filter(services)
	}
	return services
}

func nodesOf(services []*registry.Service) []*registry.Node {
	var nodes []*registry.Node
	for _, s := range services {
		nodes = append(nodes, s.Nodes...)
	}
	return nodes
}

// among returns those of nodes that have the id of one of others.
func among(nodes, others []*registry.Node) []*registry.Node {
	ids := make(map[string]bool, len(others))
	for _, n := range others {
		ids[n.Id] = true
	}
	var both []*registry.Node
	for _, n := range nodes {
		if ids[n.Id] {
			both = append(both, n)
		}
	}
	return both
}

// Next chooses the node for the next attempt. A built-in strategy yields no node
// twice, nor two at one address. The error is an [*Error], or whatever a strategy
// of the program returned.
func (c *Call) Next() (Choice, error) {
	if c.next != nil {
		n, err := c.next()
		if err == nil && n == nil {
			err = c.picker.failure(c.snapshot, Filtered, nil)
		}
		return Choice{Node: n}, err
	}
	ch := c.choose()
	if ch.Node == nil {
		return ch, c.picker.failure(c.snapshot, Tried, nil)
	}
	c.exclude(ch.Node)
	return ch, nil
}

// choose prefers, in this order: registered nodes that are ready, then those
// that may become so, suspects likewise, then what is failing.
func (c *Call) choose() Choice {
	live := c.scan(c.live)
	if live.ready != nil {
		return live.choice(live.ready)
	}
	if live.coming != nil {
		return live.choice(live.coming)
	}
	if suspect := c.scan(c.suspects); suspect.ready != nil {
		return suspect.choice(suspect.ready)
	} else if suspect.coming != nil {
		return suspect.choice(suspect.coming)
	} else if live.failing == nil {
		return suspect.choice(suspect.failing)
	}
	return live.choice(live.failing)
}

// found is the best node of each kind.
type found struct {
	yielded                *registry.Node // what the strategy yielded first
	ready, coming, failing *registry.Node
}

func (f *found) choice(n *registry.Node) Choice {
	ch := Choice{Node: n}
	if f.yielded != n {
		ch.Warm = f.yielded
	}
	return ch
}

// draws is how many nodes the strategy yields before the rest is gone through in
// order: going on in order at once would give the neighbour of a dead node twice
// its share.
const draws = 4

// scan looks for a ready node that was not tried.
func (c *Call) scan(nodes []*registry.Node) (f found) {
	n := uint64(len(nodes))
	if n == 0 {
		return f
	}
	var at uint64
	for range min(draws, n) {
		if c.picker.RoundRobin {
			at = c.snapshot.Turn() % n
		} else {
			at = rand.Uint64N(n)
		}
		if c.consider(&f, nodes[at]) {
			return f
		}
	}
	for i := range n {
		if c.consider(&f, nodes[(at+i)%n]) {
			return f
		}
	}
	return f
}

// consider reports whether the node is ready to take the call.
func (c *Call) consider(f *found, n *registry.Node) bool {
	if c.excluded(n) {
		return false
	}
	if f.yielded == nil {
		f.yielded = n
	}
	state := Ready
	if c.picker.State != nil {
		state = c.picker.State(n)
	}
	switch {
	case state == Ready:
		f.ready = n
		return true
	case state == Failing:
		if f.failing == nil {
			f.failing = n
		}
	case f.coming == nil:
		f.coming = n
	}
	return false
}

func (c *Call) exclude(n *registry.Node) {
	if c.tried < len(c.first) {
		c.first[c.tried] = n
	} else {
		c.further = append(c.further, n)
	}
	c.tried++
}

func (c *Call) excluded(n *registry.Node) bool {
	for _, t := range c.first[:min(c.tried, len(c.first))] {
		if t.Address == n.Address {
			return true
		}
	}
	for _, t := range c.further {
		if t.Address == n.Address {
			return true
		}
	}
	return false
}
