package balance

import (
	"math/bits"
	"sort"
)

// Shares are the weights of nodes as borders on a line: node i has what lies between
// border i-1 and border i. They never change.
type Shares struct {
	borders []uint64
}

// NewShares returns the shares of n nodes, nil if all weights are equal: then none is
// needed. If no node has any weight, they are equal as well.
func NewShares(n int, weight func(int) uint64) *Shares {
	s := &Shares{borders: make([]uint64, n)}
	total, equal := uint64(0), true
	for i := range n {
		w := weight(i)
		total += w
		s.borders[i] = total
		equal = equal && w == s.borders[0]
	}
	if equal || total == 0 {
		return nil
	}
	return s
}

// At returns the node whose share the number hits: equally spread numbers hit each
// node by its weight.
func (s *Shares) At(number uint64) int {
	total := s.borders[len(s.borders)-1]
	at, _ := bits.Mul64(number, total)
	return sort.Search(len(s.borders), func(i int) bool { return s.borders[i] > at })
}

// Turn is At for the nodes in turn: turns that follow one another are spread as
// evenly as can be, whatever the weights.
func (s *Shares) Turn(turn uint64) int {
	const golden = 0x9e3779b97f4a7c15 // 2^64 over the golden ratio
	return s.At(turn * golden)
}

// Weight returns the weight of a node.
func (s *Shares) Weight(i int) uint64 {
	if i == 0 {
		return s.borders[0]
	}
	return s.borders[i] - s.borders[i-1]
}
