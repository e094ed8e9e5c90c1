package main

import "slices"

// pair is a peer measured beside its base within one round.
type pair struct{ base, peer done }

// compare measures the peer and its base next to each other, in every second round in
// the other order: what else the machine does then falls on both.
func (r *run) compare(base, peer *contest, what cell) ([]pair, error) {
	what.For = r.each
	pairs := make([]pair, r.rounds)
	for i := range pairs {
		p := &pairs[i]
		first, second, a, b := base, peer, &p.base, &p.peer
		if i%2 == 1 {
			first, second, a, b = peer, base, &p.peer, &p.base
		}
		var err error
		if *a, err = first.measure(what); err != nil {
			return nil, err
		}
		if *b, err = second.measure(what); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

// ratio returns the median of the ratios of the peer to its base.
func ratio(pairs []pair, of func(done) float64) float64 {
	all := make([]float64, len(pairs))
	for i, p := range pairs {
		all[i] = of(p.peer) / of(p.base)
	}
	return median(all)
}

// more returns the median of what the peer has beyond its base for each call.
func more(pairs []pair, of func(done) uint64) float64 {
	all := make([]float64, len(pairs))
	for i, p := range pairs {
		all[i] = float64(of(p.peer))/float64(p.peer.Number) - float64(of(p.base))/float64(p.base.Number)
	}
	return median(all)
}

func median(all []float64) float64 {
	slices.Sort(all)
	if n := len(all); n%2 == 1 {
		return all[n/2]
	}
	return (all[len(all)/2-1] + all[len(all)/2]) / 2
}
