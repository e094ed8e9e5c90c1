package faults

import (
	"os"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

const (
	// patience is how long a test waits for what has a bound, so that a bound that
	// is not met is measured all the same.
	patience = 30 * time.Second
	// listedAgain bounds the return of a live node after etcd answers.
	listedAgain = 4 * time.Second
	// listedAfterSilence is listedAgain where etcd or the network fell silent
	// instead of refusing.
	listedAfterSilence = 6 * time.Second
)

// inFull tells whether the rows run in their long form.
func inFull() bool { return os.Getenv("ROLLCALL_FAULTS") == "full" }

// times returns how often or how long, in the short form and in full.
func times[N int | time.Duration](short, full N) N {
	if inFull() {
		return full
	}
	return short
}

// within prints a measured time next to its bound, and fails the test if it is
// above.
func within(t *testing.T, what string, got, bound time.Duration) {
	t.Helper()
	t.Logf("measured: %s %s, bound %s", what, got.Round(time.Millisecond), bound)
	if got > bound {
		t.Errorf("%s took %s, the bound is %s", what, got.Round(time.Millisecond), bound)
	}
}

// atMost is within for counts.
func atMost(t *testing.T, what string, got, bound int) {
	t.Helper()
	t.Logf("measured: %s %d, bound %d", what, got, bound)
	if got > bound {
		t.Errorf("%s: %d, the bound is %d", what, got, bound)
	}
}

// since waits for cond and returns how long after begin that was. It does not
// judge.
func since(t *testing.T, begin time.Time, what string, cond func() bool) time.Duration {
	t.Helper()
	testkit.Eventually(t, patience, what, cond)
	return time.Since(begin)
}

// register registers s for a TTL of seconds.
func register(t *testing.T, r registry.Registry, s *registry.Service, ttl time.Duration) {
	t.Helper()
	if err := r.Register(s, registry.RegisterTTL(ttl)); err != nil {
		t.Fatal(err)
	}
}

// generated marks ids as made by the process that registers them, as a server
// does for those of its own making: such nodes share a lease.
func generated(t *testing.T) registry.RegisterOption {
	return registry.RegisterContext(ability.WithGenerated(t.Context()))
}
