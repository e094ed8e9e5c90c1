package grpc

import (
	"testing"
	"time"
)

// load is a server on which an answer takes base as long as at most capacity calls are
// there, and longer in proportion when there are more.
type load struct {
	capacity float64
	base     time.Duration
	limit    float64
	now      time.Time
	timeout  time.Duration // of every call, zero for none
}

// run feeds a with windows in which offered calls are there at a time, or as many as the
// limit lets in, and returns the mean time of an answer in the last ten of them.
func (l *load) run(a *adaptive, windows int, offered float64) time.Duration {
	var sum time.Duration
	for w := range windows {
		a.reached(int64(offered))
		serving := min(offered, l.limit)
		took := time.Duration(float64(l.base) * max(1, serving/l.capacity))
		if w >= windows-10 {
			sum += took
		}
		l.now = l.now.Add(adaptiveWindow)
		for range adaptiveAnswers {
			took, failed := took, false
			if l.timeout > 0 && took > l.timeout {
				took, failed = l.timeout, true
			}
			if limit, changed := a.ended(took, failed, l.now); changed {
				l.limit = float64(limit)
			}
		}
	}
	return sum / time.Duration(min(windows, 10))
}

func TestAdaptiveLimit(t *testing.T) {
	for _, capacity := range []float64{10, 50, 400, 2000} {
		now := time.Now()
		a := newAdaptive(now)
		l := &load{capacity: capacity, base: 5 * time.Millisecond, limit: adaptiveFirst, now: now}
		l.run(a, 50, capacity/2) // a quiet hour
		took := l.run(a, 2000, capacity*10)
		if l.limit < capacity || l.limit > 4*capacity {
			t.Errorf("capacity %.0f: the limit is %.0f", capacity, l.limit)
		}
		if took > 4*l.base {
			t.Errorf("capacity %.0f: answers take %v, without load %v", capacity, took, l.base)
		}
		// What answers take by themselves has changed: the limit must not strangle it.
		l.base *= 3
		l.run(a, 300, capacity/2)
		l.run(a, 300, capacity*10)
		if l.limit < capacity {
			t.Errorf("capacity %.0f, three times as long: the limit is %.0f", capacity, l.limit)
		}
	}
}

// A server on which all calls run out of time lets in fewer, until they are answered, and
// failures that come at once do not make it think that answers could be as quick.
func TestAdaptiveLimitWhenEveryCallTimesOut(t *testing.T) {
	now := time.Now()
	a := newAdaptive(now)
	l := &load{capacity: 10, base: 5 * time.Millisecond, limit: adaptiveFirst, now: now, timeout: 25 * time.Millisecond}
	l.run(a, 50, 5)
	if took := l.run(a, 500, 1000); took > l.timeout {
		t.Errorf("at a limit of %.0f a call takes %v, and has %v", l.limit, took, l.timeout)
	}
	for range 100 * adaptiveAnswers {
		l.now = l.now.Add(adaptiveWindow / adaptiveAnswers)
		if limit, changed := a.ended(time.Microsecond, true, l.now); changed {
			l.limit = float64(limit)
		}
	}
	l.run(a, 300, 1000)
	if l.limit < l.capacity {
		t.Errorf("after quick failures the limit is %.0f", l.limit)
	}
}

// A few calls say nothing of what many would do.
func TestAdaptiveLimitOfAnIdleServer(t *testing.T) {
	now := time.Now()
	a := newAdaptive(now)
	l := &load{capacity: 1000, base: time.Millisecond, limit: adaptiveFirst, now: now}
	l.run(a, 1000, 3)
	if l.limit != adaptiveFirst {
		t.Errorf("the limit is %.0f", l.limit)
	}
}

// Nothing brings the limit out of its bounds.
func TestBoundsOfTheAdaptiveLimit(t *testing.T) {
	a := newAdaptive(time.Now())
	for i := range 10_000 {
		average := 1e-9
		if i%2 > 0 {
			average = 1e9
		}
		a.window(1e9, average)
		if a.limit < adaptiveLeast || a.limit > adaptiveMost {
			t.Fatalf("the limit is %v", a.limit)
		}
	}
}

func TestLimitingCostsNoMemory(t *testing.T) {
	l := &limiter{adaptive: newAdaptive(time.Now())}
	l.limit.Store(10)
	if n := testing.AllocsPerRun(1000, func() {
		var err error
		in, _ := l.enter(false)
		in.leave(&err)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
