package selector

import (
	"math/rand/v2"
	"sync/atomic"

	"github.com/rollcall-go/micro/registry"
)

// Random chooses any node each time, all equally often. Selectors and clients know
// Random, RoundRobin and LeastLoaded by the functions themselves; a function around
// one is another strategy. A client applies its own forms of them, which know which
// nodes are connected, and share calls out by the weights of nodes.
func Random(services []*registry.Service) Next {
	nodes := nodesOf(services)
	return func() (*registry.Node, error) {
		if len(nodes) == 0 {
			return nil, ErrNoneAvailable
		}
		return nodes[rand.IntN(len(nodes))], nil
	}
}

// RoundRobin yields the nodes one after the other, over and over, beginning
// with any of them.
func RoundRobin(services []*registry.Service) Next {
	nodes := nodesOf(services)
	if len(nodes) == 0 {
		return func() (*registry.Node, error) { return nil, ErrNoneAvailable }
	}
	var turn atomic.Uint64
	turn.Store(rand.Uint64N(uint64(len(nodes))))
	return func() (*registry.Node, error) {
		return nodes[(turn.Add(1)-1)%uint64(len(nodes))], nil
	}
}

// LeastLoaded chooses two nodes at random and takes the one that is less loaded: with
// fewer calls under way for its weight, or, where one takes more than twice as long as
// the other to answer, the one that is likely to be done first. Only a client knows
// such numbers: elsewhere it chooses as Random does.
func LeastLoaded(services []*registry.Service) Next { return Random(services) }

func nodesOf(services []*registry.Service) []*registry.Node {
	var nodes []*registry.Node
	for _, s := range services {
		nodes = append(nodes, s.Nodes...)
	}
	return nodes
}
