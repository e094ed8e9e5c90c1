package balance

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func name(i int) string { return fmt.Sprintf("shop-%d", i) }

// TestSubsetsReachAllNodesEvenly: 300 clients call 30 of 300 nodes each, so that a node
// has 30 clients on average.
func TestSubsetsReachAllNodesEvenly(t *testing.T) {
	const nodes, clients, size = 300, 300, 30
	reached := make([]float64, nodes)
	for c := range uint64(clients) {
		places := Subset(c, nodes, size, name)
		if len(places) != size || !slices.IsSorted(places) {
			t.Fatalf("client %d has %d nodes", c, len(places))
		}
		for _, at := range places {
			reached[at]++
		}
	}
	// Each node is drawn by each client with one chance in ten: 30 times, with a
	// deviation of 5.2; of 300 nodes none is beyond five deviations.
	mean, deviation := 30.0, math.Sqrt(300*0.1*0.9)
	for i, n := range reached {
		if math.Abs(n-mean) > 5*deviation {
			t.Errorf("node %d has %v clients", i, n)
		}
	}
}

func TestSubsetChangesLittle(t *testing.T) {
	const nodes, size = 200, 20
	for c := range uint64(50) {
		before := Subset(c, nodes, size, name)
		if again := Subset(c, nodes, size, name); !slices.Equal(before, again) {
			t.Fatal("the same client has another subset")
		}
		ids := func(places []int, n func(int) string) map[string]bool {
			m := map[string]bool{}
			for _, at := range places {
				m[n(at)] = true
			}
			return m
		}
		without := func(i int) string { return name(i + 1) } // node 0 has left
		for _, after := range []map[string]bool{ids(Subset(c, nodes-1, size, without), without), ids(Subset(c, nodes+1, size, name), name)} {
			changed := 0
			for id := range ids(before, name) {
				if !after[id] {
					changed++
				}
			}
			if changed > 1 || len(after) != size {
				t.Errorf("client %d: %d of its nodes changed by one that came or left", c, changed)
			}
		}
	}
}

func TestSubsetOfFew(t *testing.T) {
	if got := Subset(1, 3, 5, name); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("got %v", got)
	}
	if got := Subset(1, 3, 0, name); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	for nodes, want := range map[int]int{5: 5, 100: 100, 101: 20, 1000: 20} {
		if got := (Policy{Subset: 20}).SubsetOf(nodes); got != want {
			t.Errorf("%d of %d nodes", got, nodes)
		}
	}
}
