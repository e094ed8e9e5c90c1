package selector_test

import (
	"sync"
	"testing"

	"github.com/rollcall-go/micro/client/selector"
)

func TestRoundRobinIsEven(t *testing.T) {
	const workers, turns = 8, 300
	next := selector.RoundRobin(three())
	counts := make([]map[string]int, workers)
	var wg sync.WaitGroup
	for w := range workers {
		counts[w] = make(map[string]int)
		wg.Go(func() {
			for range turns {
				n, err := next()
				if err != nil {
					t.Error(err)
					return
				}
				counts[w][n.Id]++
			}
		})
	}
	wg.Wait()
	total := make(map[string]int)
	for _, c := range counts {
		for id, n := range c {
			total[id] += n
		}
	}
	for _, id := range []string{"a", "b", "c"} {
		if total[id] != workers*turns/3 {
			t.Errorf("%q was chosen %d times, want %d", id, total[id], workers*turns/3)
		}
	}
}

func TestStrategiesReachEveryNode(t *testing.T) {
	for name, start := range map[string]func() string{
		// Where each begins, when asked anew.
		"random":      func() string { n, _ := selector.Random(three())(); return n.Id },
		"round robin": func() string { n, _ := selector.RoundRobin(three())(); return n.Id },
	} {
		seen := make(map[string]bool)
		for range 1000 {
			seen[start()] = true
		}
		if len(seen) != 3 {
			t.Errorf("%s begins only with %v", name, seen)
		}
	}
}
