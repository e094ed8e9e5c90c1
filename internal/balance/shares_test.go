package balance

import (
	"math/rand/v2"
	"testing"
)

// chiSquare is how far the counts are from the weights. With three degrees of freedom
// it is beyond 16.3 once in a thousand.
func chiSquare(counts []float64, weights []uint64) (x float64) {
	var n, total float64
	for i := range counts {
		n, total = n+counts[i], total+float64(weights[i])
	}
	for i := range counts {
		if want := n * float64(weights[i]) / total; want > 0 {
			x += (counts[i] - want) * (counts[i] - want) / want
		}
	}
	return x
}

func TestShares(t *testing.T) {
	weights := []uint64{100, 0, 300, 50, 550}
	s := NewShares(len(weights), func(i int) uint64 { return weights[i] })
	source := rand.New(rand.NewPCG(1, 2))
	for kind, at := range map[string]func(turn uint64) int{
		"at random": func(uint64) int { return s.At(source.Uint64()) },
		"in turn":   s.Turn,
	} {
		counts := make([]float64, len(weights))
		for turn := range uint64(10_000) {
			counts[at(turn)]++
		}
		if x := chiSquare(counts, weights); x > 16.3 || counts[1] != 0 {
			t.Errorf("%s: %v, chi-square %.1f", kind, counts, x)
		}
	}
	for i, w := range weights {
		if got := s.Weight(i); got != w {
			t.Errorf("node %d has weight %d of %d", i, got, w)
		}
	}
}

// TestTurnsAreEven: in any ten turns a node with a tenth of the weight has its call,
// give or take one.
func TestTurnsAreEven(t *testing.T) {
	weights := []uint64{900, 100}
	s := NewShares(2, func(i int) uint64 { return weights[i] })
	for begin := range uint64(1000) {
		light := 0
		for turn := range uint64(20) {
			light += s.Turn(begin + turn)
		}
		if light < 1 || light > 3 {
			t.Fatalf("%d of 20 turns from %d on", light, begin)
		}
	}
}

func TestEqualShares(t *testing.T) {
	for _, w := range []uint64{0, 1, 100} {
		if s := NewShares(3, func(int) uint64 { return w }); s != nil {
			t.Errorf("shares of equal weights %d", w)
		}
	}
}
