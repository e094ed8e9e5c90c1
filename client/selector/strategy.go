package selector

import (
	"math/rand/v2"
	"sync/atomic"

	"github.com/rollcall-go/micro/registry"
)

// Random chooses any node each time, all equally often. Selectors know Random and
// RoundRobin by the functions themselves; a function around one is another strategy.
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

func nodesOf(services []*registry.Service) []*registry.Node {
	var nodes []*registry.Node
	for _, s := range services {
		nodes = append(nodes, s.Nodes...)
	}
	return nodes
}
