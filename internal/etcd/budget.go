package etcd

import (
	"context"
	"sync"
	"time"
)

const (
	// budgetRate is how many requests a second a Conn may make by itself when it has
	// much to make good after an outage: as many listings of mirrors, and as many
	// grants and writes of the keeper, so that neither has to wait for the other.
	budgetRate = 500
	// budgetBurst is how many of them may be made at once after a rest.
	budgetBurst = 100
)

// budget is a token bucket. Its methods may be called by several goroutines at
// once.
type budget struct {
	every time.Duration // between two tokens
	burst time.Duration // what a full bucket is worth

	mu sync.Mutex
	// full is when the bucket will be full again. It holds a token at now while
	// full is at most burst-every later.
	full time.Time
}

func newBudget(perSecond, burst int) *budget {
	every := time.Second / time.Duration(perSecond)
	return &budget{every: every, burst: every * time.Duration(burst)}
}

// take takes a token and returns the zero time, or takes none and returns when
// there may be one.
func (b *budget) take(now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	full := later(b.full, now).Add(b.every)
	if at := full.Add(-b.burst); at.After(now) {
		return at
	}
	b.full = full
	return time.Time{}
}

// wait takes the next token that nobody waits for and returns when it is there, or
// gives it back and returns why ctx ended before.
func (b *budget) wait(ctx context.Context) error {
	now := time.Now()
	b.mu.Lock()
	b.full = later(b.full, now).Add(b.every)
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
