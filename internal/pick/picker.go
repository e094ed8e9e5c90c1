package pick

import (
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
	// Balancer is how one of several nodes that are as good is chosen.
	Balancer Balancer
	// Strategy is one that the program wrote. Nil means the Balancer.
	Strategy selector.Strategy
	// Random returns a number that may be any. Nil means that of math/rand/v2.
	Random func() uint64
	// Rules say which nodes are preferred. Nil means none.
	Rules *Rules
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
	balancer Balancer
	targets  *Targets
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
	c := Call{picker: p, snapshot: s, balancer: p.Balancer}
	if len(s.Nodes) == 0 && len(s.Suspects) == 0 {
		return c, p.Missing(s, s.Err)
	}
	targets := p.targets(s)
	c.targets = targets
	if len(targets.Live) == 0 && len(targets.Suspects) == 0 {
		return c, p.failure(s, Uncallable, targets.Reason)
	}
	strategy := p.Strategy
	if so.Strategy != nil {
		strategy = so.Strategy
		if b, ok := BalancerOf(selector.StrategyName(strategy)); ok {
			strategy, c.balancer = nil, b
		}
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
	left.Live = left.of(s.Name, nodesOf(services), p.Connect, p.Rules)
	if len(s.Suspects) > 0 {
		routed := narrow(s.Routing, callable)
		left.Suspects = left.of(s.Name, among(nodesOf(routed), s.Suspects), p.Connect, p.Rules)
		if len(left.Live) == 0 {
			services = routed
		}
	}
	c.targets = left
	switch {
	case len(left.Live) == 0 && len(left.Suspects) == 0:
		return c, p.failure(s, Filtered, left.Reason)
	case strategy != nil:
		c.next = strategy(services)
	default:
		left.plan.fill(p.Rules, s.Name, left.Live, left.Suspects)
	}
	return c, nil
}

func (p *Picker) targets(s *discovery.Snapshot) *Targets {
	if p.Targets == nil {
		return NewTargets(s, p.Connect, p.Rules)
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
