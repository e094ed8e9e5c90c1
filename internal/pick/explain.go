package pick

import (
	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/registry"
)

// Verdict is what becomes of a node when a client chooses.
type Verdict struct {
	Node   *registry.Node
	Weight int
	// Filter is the name of the one that leaves the node out, empty if it is called:
	// address, tls, zone, ejection or weight. Why is the reason, and for a node that is
	// called what is odd about it.
	Filter, Why string
	// Share is the part of the calls that go there, in percent.
	Share float64
}

// Explain returns what becomes of the nodes of a service by a policy, if a client knew
// of each what reach says: nil for one that is ready. secured returns why the client's settings of TLS
// keep it from an endpoint, nil if they do not. Subsets are left out of it, which chance
// makes, and warm-ups, which a client alone knows of.
func Explain(policy balance.Policy, nodes []*registry.Node, secured func(endpoint.Endpoint) error, reach func(*registry.Node) error) []Verdict {
	policy.Subset, policy.WarmUp = 0, 0
	odd := map[*registry.Node]error{}
	rules := &Rules{Policy: policy, Odd: func(n *registry.Node, err error) { odd[n] = err }}
	unready := map[*registry.Node]error{}
	t := &Targets{}
	t.Live = t.of("", nodes, func(_ string, n *registry.Node) (endpoint.Conn, error) {
		if _, err := callable(n, secured); err != nil {
			return nil, err
		}
		c := &supposed{state: endpoint.Ready}
		if err := reach(n); err != nil {
			c.state, unready[n] = endpoint.Failing, err
		}
		return c, nil
	}, rules)
	t.plan.fill(rules, "", t.Live, nil)
	call := &Call{targets: t}
	home := t.plan.preferred(call)

	called, total := 0, 0
	among := t.Live
	if home != nil {
		among = home.targets
	}
	for _, target := range among {
		if call.rank(target) == ready {
			called++
			total += int(target.weight)
		}
	}
	verdicts := make([]Verdict, 0, len(nodes))
	for _, n := range nodes {
		v := Verdict{Node: n, Weight: int(rules.weight(n))}
		filter, uncallable := callable(n, secured)
		inHome := home == nil || has(home.targets, n)
		switch {
		case uncallable != nil:
			v.Filter, v.Why = filter, uncallable.Error()
		case !inHome:
			v.Filter, v.Why = "zone", "it is of another zone, and enough nodes of the own one are healthy"
		case unready[n] != nil:
			v.Filter, v.Why = "ejection", unready[n].Error()
		case v.Weight == 0 && total > 0:
			v.Filter, v.Why = "weight", "its weight is 0, and others have some"
		case total > 0:
			v.Share = 100 * float64(v.Weight) / float64(total)
		default:
			v.Share = 100 / float64(called)
		}
		if v.Filter == "" && odd[n] != nil {
			v.Why = odd[n].Error()
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// callable returns why a node cannot be called at all, and the name of the filter.
func callable(n *registry.Node, secured func(endpoint.Endpoint) error) (filter string, err error) {
	e, err := endpoint.OfNode(n)
	if err != nil {
		return "address", err
	}
	return "tls", secured(e)
}

func has(targets []Target, n *registry.Node) bool {
	for i := range targets {
		if targets[i].Node == n {
			return true
		}
	}
	return false
}

// supposed is the connection to a node in a state that is supposed.
type supposed struct {
	endpoint.Conn
	state endpoint.State
	load  endpoint.Load
}

func (s *supposed) State() endpoint.State { return s.state }
func (s *supposed) Load() *endpoint.Load  { return &s.load }
