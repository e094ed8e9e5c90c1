package pick

import (
	"math/rand/v2"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Picker is the rule by which the calls of one client choose. The zero value
// chooses at random among nodes that all count as ready. A Picker in use must
// not be changed; it is then safe for concurrent use.
type Picker struct {
	// RoundRobin chooses the nodes in turn instead of at random.
	RoundRobin bool
	// Strategy is one that the program wrote. Nil means the built-in one.
	Strategy selector.Strategy
	// Targets returns the nodes of a snapshot that can be called. It must be quick:
	// what it returns is made once. Nil means all of them, and that each is ready.
	Targets func(*discovery.Snapshot) *Targets
	// Connect finds the connection to a node that filters or a strategy of the
	// program left. Nil means that every node is ready.
	Connect Connect
	// Names returns the names of the services that are known, for suggestions in
	// errors. Nil means none.
	Names func() []string
	// Registry names the registry and its address in errors. Nil means not at all.
	Registry func() string
}

// Choice is the node for one attempt.
type Choice struct {
	Target
	// Warm is the connection to the node that the strategy would have taken, had it
	// been ready. It is to be connected in the background. Nil if there is none.
	Warm endpoint.Conn
}

// Call is one call's succession of choices. It is not safe for concurrent use.
type Call struct {
	picker   *Picker
	snapshot *discovery.Snapshot
	live     []Target
	suspects []Target
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
	c := Call{picker: p, snapshot: s}
	if len(s.Nodes) == 0 && len(s.Suspects) == 0 {
		return c, p.Missing(s, s.Err)
	}
	targets := p.targets(s)
	c.live, c.suspects = targets.Live, targets.Suspects
	if len(c.live) == 0 && len(c.suspects) == 0 {
		return c, p.failure(s, Uncallable, targets.Reason)
	}
	strategy := so.Strategy
	if strategy == nil {
		strategy = p.Strategy
	}
	if strategy == nil && len(so.Filters) == 0 {
		return c, nil
	}

	callable := so.Filters
	if targets.Skipped > 0 {
		callable = append([]selector.Filter{targets.filter}, callable...)
	}
	services := narrow(s.Services, callable)
	left := &Targets{}
	c.live, c.suspects = left.of(s.Name, nodesOf(services), p.Connect), nil
	if len(s.Suspects) > 0 {
		routed := narrow(s.Routing, callable)
		c.suspects = left.of(s.Name, among(nodesOf(routed), s.Suspects), p.Connect)
		if len(c.live) == 0 {
			services = routed
		}
	}
	if len(c.live) == 0 && len(c.suspects) == 0 {
		return c, p.failure(s, Filtered, left.Reason)
	}
	if strategy != nil {
		c.next = strategy(services)
	}
	return c, nil
}

func (p *Picker) targets(s *discovery.Snapshot) *Targets {
	if p.Targets == nil {
		return NewTargets(s, p.Connect)
	}
	return p.Targets(s)
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
		if err != nil {
			return Choice{}, err
		}
		if n == nil {
			return Choice{}, c.picker.failure(c.snapshot, Filtered, nil)
		}
		ch := Choice{Target: Target{Node: n}}
		if c.picker.Connect != nil {
			ch.Conn, err = c.picker.Connect(c.snapshot.Name, n)
		}
		return ch, err
	}
	ch := c.choose()
	if ch.Node == nil {
		return ch, c.picker.failure(c.snapshot, Tried, nil)
	}
	c.exclude(ch.Node)
	return ch, nil
}

// choose prefers, in this order: registered nodes that are ready, then those
// that may become so, suspects likewise, then what fails, then what is silent.
func (c *Call) choose() Choice {
	live := c.scan(c.live)
	if live.best > failing {
		return live.choice()
	}
	suspect := c.scan(c.suspects)
	if suspect.best > live.best {
		return suspect.choice()
	}
	return live.choice()
}

// rank orders targets by how likely they are to answer.
type rank int

const (
	none rank = iota // there is no target
	silent
	failing
	coming
	ready
)

func rankOf(s endpoint.State) rank {
	switch s {
	case endpoint.Ready:
		return ready
	case endpoint.Failing:
		return failing
	case endpoint.Silent:
		return silent
	default:
		return coming
	}
}

// found is the best target so far.
type found struct {
	best    rank
	target  Target
	yielded Target // what the strategy yielded first
}

func (f *found) choice() Choice {
	ch := Choice{Target: f.target}
	if f.yielded.Node != f.target.Node {
		ch.Warm = f.yielded.Conn
	}
	return ch
}

// draws is how many nodes the strategy yields before the rest is gone through in
// order: going on in order at once would give the neighbour of a dead node twice
// its share.
const draws = 4

// scan looks for the best target that was not tried.
func (c *Call) scan(nodes []Target) (f found) {
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

// consider reports whether the target is ready to take the call.
func (c *Call) consider(f *found, t Target) bool {
	if c.excluded(t.Node) {
		return false
	}
	if f.yielded.Node == nil {
		f.yielded = t
	}
	if r := rankOf(t.state()); r > f.best {
		f.best, f.target = r, t
	}
	return f.best == ready
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
