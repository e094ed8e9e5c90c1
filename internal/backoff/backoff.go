// Package backoff says how long to wait before trying again: exponentially
// longer with every failure, and at random, so that many clients that lost the
// same server do not come back in step.
package backoff

import (
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
