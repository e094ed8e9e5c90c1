package etcd

import (
	"context"
	"sync"
	"time"
)

const (
	// BudgetRate is how many requests a second a Conn may make by itself when it has
	// much to make good after an outage: as many listings of mirrors, and as many
	// grants and writes of claims, so that neither has to wait for the other.
	BudgetRate = 500
	// BudgetBurst is how many of them may be made at once after a rest.
	BudgetBurst = 100
)

// Budget is a token bucket. Its methods may be called by several goroutines at
// once.
type Budget struct {
	every time.Duration // between two tokens
	burst time.Duration // what a full bucket is worth

	mu sync.Mutex
	// full is when the bucket will be full again. There is a token in it as long as
	// that is at most burst-every from now.
	full time.Time
}

// NewBudget returns a full bucket that gets perSecond tokens a second and holds
// burst of them.
func NewBudget(perSecond, burst int) *Budget {
	every := time.Second / time.Duration(perSecond)
	return &Budget{every: every, burst: every * time.Duration(burst)}
}

// Take takes a token and returns the zero time, or takes none and returns when
// there may be one.
func (b *Budget) Take(now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	full := latest(b.full, now).Add(b.every)
	if at := full.Add(-b.burst); at.After(now) {
		return at
	}
	b.full = full
	return time.Time{}
}

// Wait reserves the next free token and returns nil when it is there. If ctx ends
// before, it gives the token back and returns why.
func (b *Budget) Wait(ctx context.Context) error {
	now := time.Now()
	b.mu.Lock()
	b.full = latest(b.full, now).Add(b.every)
	at := b.full.Add(-b.burst)
	b.mu.Unlock()
	if !at.After(now) || wait(ctx, at.Sub(now)) {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.full = b.full.Add(-b.every)
	return ctx.Err()
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
