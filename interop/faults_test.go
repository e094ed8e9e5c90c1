package interop_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// fault is one row of the comparison: what goes wrong, what is promised, and how
// it is measured, in the same way for both frameworks.
type fault struct {
	row, what, bound string
	// short tells that the row is part of every run of the tests.
	short   bool
	measure func(t *testing.T, k kind) outcome
}

// outcome is what was measured, and whether it is within the bound.
type outcome struct {
	text string
	met  bool
}

// lab holds all rows, in the order of docs/FAULTS.md.
func lab() []fault {
	return slices.Concat(registrationFaults, watchFaults, callFaults)
}

// TestFaults puts both frameworks under the same faults and prints what they did,
// side by side. What is promised must hold for ours; what v2 does is noted. Every
// run takes a few rows, one with ROLLCALL_FAULTS=full all of them.
func TestFaults(t *testing.T) {
	t.Parallel()
	measured := make([]map[kind]outcome, len(lab()))
	t.Run("row", func(t *testing.T) {
		for i, f := range lab() {
			if !f.short && !inFull() {
				continue
			}
			measured[i] = make(map[kind]outcome)
			t.Run(strings.ReplaceAll(f.row, " ", "-"), func(t *testing.T) {
				t.Parallel()
				for _, k := range kinds {
					t.Run(string(k), func(t *testing.T) {
						o := f.measure(t, k)
						if k == ours && !o.met {
							t.Errorf("%s: %s; the bound is %s", f.what, o.text, f.bound)
						}
						measured[i][k] = o
					})
				}
			})
		}
	})
	table := sideBySide(measured)
	if inFull() {
		fmt.Print(table)
		return
	}
	t.Logf("some of %d rows:\n%s", len(measured), table)
}

// sideBySide returns the table of what was measured.
func sideBySide(measured []map[kind]outcome) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| Row | Fault | Bound | Rollcall | go-micro v2.9.1 |")
	fmt.Fprintln(&b, "|---|---|---|---|---|")
	for i, f := range lab() {
		if len(measured[i]) == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.row, f.what, f.bound, measured[i][ours].cell(), measured[i][v2].cell())
	}
	return b.String()
}

func (o outcome) cell() string {
	switch {
	case o.text == "":
		return "not measured"
	case o.met:
		return o.text
	}
	return "**" + o.text + "**"
}

// inFull tells whether all rows run.
func inFull() bool { return os.Getenv("ROLLCALL_FAULTS") == "full" }

// never is how long a row waits before it says that something does not happen.
func never() time.Duration {
	if inFull() {
		return 20 * time.Second
	}
	return 5 * time.Second
}

const (
	// leaseTTL and beat are those of the services that are put under faults.
	leaseTTL = 2 * time.Second
	beat     = time.Second
	// listedAgain bounds the return of a live node after etcd answers, and
	// listedAfterSilence that after silence instead of refused connections.
	listedAgain, listedAfterSilence = 4 * time.Second, 6 * time.Second
)

// victim returns a service of the given name with one node, called one.
func victim(name string) peer.Service {
	return peer.Service{Name: name, ID: "one", TTL: leaseTTL, Interval: beat}
}

// subject starts a program that ends as a crash does: it may hang.
func subject(t *testing.T, k kind, address string, flags ...string) *program {
	t.Helper()
	p := run(t, k, address, "interop.lab", flags...)
	t.Cleanup(p.crash)
	return p
}

// bounded sends a command and returns how long its reply took. It gives up after
// the time that counts as never, with an error that is context.DeadlineExceeded.
func (p *program) bounded(op string, body, result any) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), never())
	defer cancel()
	begin := time.Now()
	err := p.Do(ctx, op, body, result)
	return time.Since(begin), err
}

// replied is the outcome of a command that is bounded.
func replied(what string, took time.Duration, err error, bound time.Duration) outcome {
	var failed *peer.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return outcome{text: fmt.Sprintf("%s has not returned after %s", what, never())}
	case errors.Is(err, peer.ErrGone):
		return outcome{text: what + " ended the process"}
	case errors.As(err, &failed):
		return outcome{fmt.Sprintf("%s fails after %s", what, round(took)), took <= bound}
	}
	return outcome{fmt.Sprintf("%s returns after %s", what, round(took)), took <= bound}
}

// happened waits for cond until a time after begin, and returns how long after
// begin it held.
func happened(begin time.Time, within time.Duration, cond func() bool) (time.Duration, bool) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for time.Since(begin) < within {
		if cond() {
			return time.Since(begin), true
		}
		<-tick.C
	}
	return 0, false
}

// after is the outcome of something that should happen soon after begin.
func after(begin time.Time, what string, bound time.Duration, cond func() bool) outcome {
	took, ok := happened(begin, never(), cond)
	if !ok {
		return outcome{text: fmt.Sprintf("not %s within %s", what, never())}
	}
	return outcome{fmt.Sprintf("%s after %s", what, round(took)), took <= bound}
}

func round(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Millisecond)
}

// is tells whether a node has a record in which text occurs.
func (s store) is(service, node, text string) bool {
	s.t.Helper()
	r := s.get(service, node)
	return r != nil && strings.Contains(r.value, text)
}

// nodesBy returns the nodes that the command op of a program yields for a service,
// none if it fails.
func (p *program) nodesBy(op, service string) []string {
	var got listing
	if err := p.try(op, peer.Name{Name: service}, &got); err != nil {
		return nil
	}
	return got.nodes()
}

// linked starts an etcd and a link to it that can be cut.
func linked(t *testing.T) (*testkit.Etcd, *testkit.Proxy, store) {
	t.Helper()
	etcd := testkit.StartEtcd(t)
	return etcd, testkit.StartProxy(t, etcd.Addr()), storeOf(t, etcd)
}
