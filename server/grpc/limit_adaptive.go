package grpc

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// adaptiveFirst, adaptiveLeast and adaptiveMost are the limit at the start and its
	// bounds.
	adaptiveFirst = 100
	adaptiveLeast = 8
	adaptiveMost  = 10_000
	// adaptiveWindow is how long answers are looked at together, adaptiveAnswers how many
	// there must be.
	adaptiveWindow  = 100 * time.Millisecond
	adaptiveAnswers = 20
	// adaptivePatience is how many times longer than without load answers may take.
	adaptivePatience = 2
	// adaptiveProbe is how many windows at the limit pass before it is a quarter for two:
	// in the first of them, calls are answered that waited before.
	adaptiveProbe = 50
)

// adaptive finds the number of calls at a time above which a server only makes its
// callers wait: the time that answers take grows with the calls in flight from there on.
// It compares that time with the best it has seen. While a server is at its limit all the
// time, it lowers the limit to a quarter now and then, to see again what the best is.
type adaptive struct {
	peak  atomic.Int64 // calls at a time, those that were turned away included
	took  atomic.Int64 // of the answers in this window, together
	count atomic.Int64
	until atomic.Int64 // when the window ends, after began
	least atomic.Int64 // best, as a time.Duration
	began time.Time

	mu    sync.Mutex // guards what follows, which changes once a window
	limit float64
	best  float64 // seconds; zero before the first window
	full  int     // windows at the limit since the last probe
	saved float64 // the limit before the probe
	probe int     // windows of it that are left
}

func newAdaptive(now time.Time) *adaptive {
	a := &adaptive{began: now, limit: adaptiveFirst}
	a.until.Store(int64(adaptiveWindow))
	return a
}

// current returns the limit.
func (a *adaptive) current() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return int64(a.limit)
}

// reached takes note that so many calls are there at a time.
func (a *adaptive) reached(n int64) {
	for peak := a.peak.Load(); n > peak && !a.peak.CompareAndSwap(peak, n); peak = a.peak.Load() {
	}
}

// ended takes note of a call, and at the end of a window returns the limit from then on.
// One that failed counts if it took longer than answers do without load: when all calls
// run out of time, there is nothing else to see that by. Quicker failures say nothing.
func (a *adaptive) ended(took time.Duration, failed bool, now time.Time) (limit int64, changed bool) {
	if failed && int64(took) < a.least.Load() {
		return 0, false
	}
	a.took.Add(int64(took))
	at := int64(now.Sub(a.began))
	if a.count.Add(1) < adaptiveAnswers || at < a.until.Load() || !a.mu.TryLock() {
		return 0, false
	}
	defer a.mu.Unlock()
	if at < a.until.Load() { // another goroutine was here in between
		return 0, false
	}
	a.until.Store(at + int64(adaptiveWindow))
	count, sum := a.count.Swap(0), a.took.Swap(0)
	a.window(float64(a.peak.Swap(0)), time.Duration(sum).Seconds()/float64(max(count, 1)))
	a.least.Store(int64(a.best * float64(time.Second)))
	return int64(a.limit), true
}

// window adjusts the limit to one window, in which there were so many calls at a time
// and an answer took so many seconds on the average.
func (a *adaptive) window(peak, average float64) {
	switch {
	case a.probe > 1:
		a.probe--
		return
	case a.probe == 1:
		a.probe, a.limit, a.best = 0, a.saved, average
		return
	case a.best == 0 || average < a.best:
		a.best = average
	case peak < a.limit: // it is not the load that answers take longer
		a.best += (average - a.best) / 10
	}
	if peak < a.limit/2 {
		a.full = 0
		return // nothing is known of what more calls would do
	}
	slower := min(1, max(0.5, adaptivePatience*a.best/max(average, 1e-9)))
	next := a.limit*slower + math.Sqrt(a.limit)
	a.limit = min(adaptiveMost, max(adaptiveLeast, 0.8*a.limit+0.2*next))
	if peak >= a.limit {
		a.full++
	}
	if a.full >= adaptiveProbe {
		a.full, a.probe, a.saved = 0, 2, a.limit
		a.limit = max(adaptiveLeast, a.limit/4)
	}
}
