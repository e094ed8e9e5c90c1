// Package backoff says how long to wait before trying again: exponentially
// longer with every failure, and at random, so that many clients that lost the
// same server do not come back in step. It also waits.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff computes waits with full jitter: the wait after attempt n is drawn
// evenly from [0, min(Max, Base·2ⁿ)). It holds no state and may be copied and
// used by several goroutines at once, as far as Rand may.
type Backoff struct {
	// Base bounds the wait after attempt 0. If it is not positive, there are no
	// waits.
	Base time.Duration
	// Max bounds every wait. 0 means no bound.
	Max time.Duration
	// Rand returns a number in [0, 1). Nil means math/rand/v2.
	Rand func() float64
}

// Next returns the wait after the attempt of that number. The first attempt is
// number 0; a negative one counts as the first.
func (b Backoff) Next(attempt int) time.Duration {
	draw := b.Rand
	if draw == nil {
		draw = rand.Float64
	}
	return time.Duration(draw() * float64(b.Ceiling(attempt)))
}

// Ceiling returns what Next(attempt) stays below.
func (b Backoff) Ceiling(attempt int) time.Duration {
	limit := b.Max
	if limit <= 0 {
		limit = 1<<63 - 1
	}
	wait := b.Base
	for range attempt {
		if wait > limit/2 {
			return limit
		}
		wait *= 2
	}
	return max(0, min(wait, limit))
}

// Wait waits for d, or until ctx is over, whose cause it then returns. It does not wait if
// d is not positive.
func Wait(ctx context.Context, d time.Duration) error {
	if d > 0 && ctx.Err() == nil {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
		}
	}
	return context.Cause(ctx)
}
