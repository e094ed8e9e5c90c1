// Package percentile estimates within what time most calls are answered.
package percentile

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	// enough is how many durations make an estimate.
	enough = 50
	// many is how many durations count in full: at each so many, what was seen before
	// counts half.
	many = 1000
	// steps is in how many parts the time from one power of two to the next is divided,
	// so that an estimate is at most an eighth too long.
	steps = 8
	// buckets reach to 2^36 microseconds, which is 19 hours.
	buckets = 36 * steps
)

// Estimator holds what is known of some durations. The zero value is ready for use, and
// its methods are safe for concurrent use; Note takes no lock and allocates nothing.
type Estimator struct {
	count  [buckets]atomic.Int64
	total  atomic.Int64
	fading atomic.Bool
}

// Note takes a duration into account.
func (e *Estimator) Note(d time.Duration) {
	e.count[bucketOf(d)].Add(1)
	if e.total.Add(1) >= 2*many && e.fading.CompareAndSwap(false, true) {
		e.fade()
		e.fading.Store(false)
	}
}

// fade makes what was seen count half. What is noted meanwhile may be lost.
func (e *Estimator) fade() {
	var total int64
	for i := range e.count {
		half := e.count[i].Load() / 2
		e.count[i].Store(half)
		total += half
	}
	e.total.Store(total)
}

// Of returns the time within which so many percent of the durations were, rounded up, and
// false as long as too few were noted.
func (e *Estimator) Of(percent float64) (time.Duration, bool) {
	total := e.total.Load()
	if total < enough {
		return 0, false
	}
	rank := int64(math.Ceil(float64(total) * percent / 100))
	for i := range e.count {
		if rank -= e.count[i].Load(); rank <= 0 {
			return upper(i), true
		}
	}
	return upper(buckets - 1), true
}

// bucketOf returns the number of the bucket that d falls into: its power of two, in
// microseconds, and the eighth within that.
func bucketOf(d time.Duration) int {
	us := uint64(max(0, d.Microseconds()))
	if us < steps {
		return int(us)
	}
	power := bits.Len64(us) - 1 // 3 and up
	within := us >> (power - 3) & (steps - 1)
	return min((power-2)*steps+int(within), buckets-1)
}

// upper returns where bucket i ends.
func upper(i int) time.Duration {
	if i < steps {
		return time.Duration(i+1) * time.Microsecond
	}
	power, within := i/steps+2, i%steps
	return time.Duration(steps+within+1) << (power - 3) * time.Microsecond
}
