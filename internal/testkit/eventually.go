package testkit

import (
	"testing"
	"time"
)

// pollInterval is the time between two looks at a condition.
const pollInterval = 5 * time.Millisecond

// Eventually returns as soon as cond does, which it asks every 5 ms from the
// test's own goroutine, the first time at once. It fails the test, naming what,
// if within has passed.
func Eventually(t testing.TB, within time.Duration, what string, cond func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline.C:
			if !cond() {
				t.Fatalf("not within %v: %s", within, what)
			}
			return
		}
	}
}

// Passes is Eventually for a look that says what is wrong: it returns as soon as
// look returns nil, and otherwise fails the test with the last error.
func Passes(t testing.TB, within time.Duration, what string, look func() error) {
	t.Helper()
	var last error
	defer func() {
		if last != nil {
			t.Logf("%s: %v", what, last)
		}
	}()
	Eventually(t, within, what, func() bool {
		last = look()
		return last == nil
	})
}

// Elapse lets real time pass, until the test ends at the latest. It is for what no
// event can tell: a fault that has to last, and a time in which something must not
// happen. Whatever can be waited for is waited for with Eventually.
func Elapse(t testing.TB, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}
