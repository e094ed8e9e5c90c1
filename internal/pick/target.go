package pick

import (
	"errors"

	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/registry"
)

// Target is a node that can be called, with the connection to it.
type Target struct {
	Node *registry.Node
	Conn endpoint.Conn // nil counts as ready

	weight uint16 // as its metadata have it
}

func (t Target) state() endpoint.State {
	if t.Conn == nil {
		return endpoint.Ready
	}
	return t.Conn.State()
}

// Connect returns the connection to a node of a service, which costs little until it is used,
// or an error that says why the node can never be called.
type Connect func(service string, node *registry.Node) (endpoint.Conn, error)

// Targets are the nodes of a snapshot that can be called, in the groups that calls
// choose from. They are made once for a snapshot and never change.
type Targets struct {
	Live, Suspects []Target
	// Skipped is how many nodes cannot be called, and Reason says why.
	Skipped int
	Reason  error

	plan plan
}

// NewTargets returns the targets of a snapshot by the rules, nil for none. With a nil
// connect, every node counts as ready.
func NewTargets(s *discovery.Snapshot, connect Connect, rules *Rules) *Targets {
	if rules != nil {
		rules.Note(s.Name, s.Nodes, s.Known) // nobody may have done so yet
	}
	t := &Targets{}
	t.Live = t.of(s.Name, s.Nodes, connect, rules)
	t.Suspects = t.of(s.Name, s.Suspects, connect, rules)
	t.plan.fill(rules, s.Name, t.Live, t.Suspects)
	return t
}

// of returns the targets of nodes and takes note of those that are none.
func (t *Targets) of(service string, nodes []*registry.Node, connect Connect, rules *Rules) []Target {
	targets := make([]Target, 0, len(nodes))
	var reasons []error
	for _, n := range nodes {
		var c endpoint.Conn
		if connect != nil {
			var err error
			if c, err = connect(service, n); err != nil {
				t.Skipped++
				reasons = append(reasons, err)
				continue
			}
		}
		targets = append(targets, Target{n, c, rules.weight(n)})
	}
	const most = 3 // reasons that are told
	t.Reason = errors.Join(t.Reason, errors.Join(reasons[:min(len(reasons), most)]...))
	return targets
}

// filter leaves out the nodes that cannot be called.
func (t *Targets) filter(services []*registry.Service) []*registry.Service {
	callable := make(map[string]bool, len(t.Live)+len(t.Suspects))
	for _, targets := range [][]Target{t.Live, t.Suspects} {
		for i := range targets {
			callable[targets[i].Node.Address] = true
		}
	}
	for _, s := range services { // copies
		nodes := make([]*registry.Node, 0, len(s.Nodes))
		for _, n := range s.Nodes {
			if callable[n.Address] {
				nodes = append(nodes, n)
			}
		}
		s.Nodes = nodes
	}
	return services
}
