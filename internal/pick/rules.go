package pick

import (
	"time"

	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/registry"
)

// Rules say which nodes a client prefers. A nil *Rules prefers none. Rules in use must
// not be changed; they are then safe for concurrent use.
type Rules struct {
	balance.Policy
	// Seed tells the client's subsets from those of other clients.
	Seed uint64
	// Odd is told of nodes whose metadata say something that cannot be. Nil means
	// nobody is.
	Odd func(*registry.Node, error)

	newcomers balance.Newcomers
}

// weight returns the weight of a node.
func (r *Rules) weight(n *registry.Node) uint16 {
	w, err := balance.Weight(n.Metadata)
	if err != nil && r != nil && r.Odd != nil {
		r.Odd(n, err)
	}
	return w
}

// Note takes note of all nodes that a service has now. It is called when these change,
// so that it is known how new each is; without a warm-up it does nothing.
func (r *Rules) Note(service string, nodes []*registry.Node, known bool) {
	switch {
	case r.WarmUp <= 0:
	case !known:
		r.newcomers.Forget(service)
	default:
		r.newcomers.See(service, time.Now(), len(nodes), func(i int) string { return nodes[i].Id })
	}
}
