package pick

import (
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/balance"
)

// group is targets of which one is chosen.
type group struct {
	targets []Target
	since   []time.Time   // when each was first seen, zero if it is not new; nil if none is
	warmUp  time.Duration // in which the share of a new one grows

	sharing atomic.Pointer[sharing] // nil: all have equal shares, for ever
}

// sharing is how a group is shared out for a time.
type sharing struct {
	shares *balance.Shares // nil: equally
	until  time.Time       // zero: for ever
}

// warmUpSteps is in how many steps the share of a new node grows, and firstStep the
// part of its weight, in percent, that it begins with at least: one without a share
// would not even be connected.
const (
	warmUpSteps = 50
	firstStep   = 2
)

// newGroup returns the group of targets.
func newGroup(targets []Target, since []time.Time, warmUp time.Duration) *group {
	g := &group{targets: targets, since: since, warmUp: warmUp}
	if since != nil {
		g.sharing.Store(g.share(time.Now()))
		return g
	}
	if !equalWeights(targets) {
		if s := balance.NewShares(len(targets), func(i int) uint64 { return uint64(targets[i].weight) }); s != nil {
			g.sharing.Store(&sharing{shares: s})
		}
	}
	return g
}

func equalWeights(targets []Target) bool {
	for i := range targets {
		if targets[i].weight != targets[0].weight {
			return false
		}
	}
	return true
}

// shares returns the shares of the targets at present, nil if they are equal.
func (g *group) shares() *balance.Shares {
	s := g.sharing.Load()
	if s == nil {
		return nil
	}
	if s.until.IsZero() {
		return s.shares
	}
	if now := time.Now(); !now.Before(s.until) {
		next := g.share(now)
		g.sharing.CompareAndSwap(s, next)
		s = next
	}
	return s.shares
}

// share returns how the group is shared out at a time, while some of it are new.
func (g *group) share(now time.Time) *sharing {
	s := &sharing{}
	s.shares = balance.NewShares(len(g.targets), func(i int) uint64 {
		part := uint64(100)
		if first := g.since[i]; !first.IsZero() && now.Sub(first) < g.warmUp {
			part = max(uint64(100*now.Sub(first)/g.warmUp), firstStep)
			s.until = now.Add(g.warmUp / warmUpSteps)
		}
		return uint64(g.targets[i].weight) * part
	})
	return s
}
