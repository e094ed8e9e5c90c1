package faults

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
)

// Row D2: three replicas are restarted one after the other under 500 calls a second. No
// call fails, and each replica says what it does in the order in which it has to.
func TestD2RollingRestart(t *testing.T) {
	t.Parallel()
	const callers = 8
	e := testkit.StartEtcd(t)
	r := fleet.Registry(t, e.Addr())
	start := func() *testkit.Process {
		return fleet.Process(t, "--registry=etcd", "--registry_address="+e.Addr())
	}
	replicas := []*testkit.Process{start(), start(), start()}
	whole := func() bool { return fleet.Listed(r, fleet.ProcessName, len(replicas)) }
	testkit.Eventually(t, patience, "three nodes are listed", whole)
	load := fleet.StartLoad(t, fleet.Client(t, r), fleet.ProcessName, callers, 16*time.Millisecond)
	for range times(1, 5) {
		for i, p := range replicas {
			load.More(t, 300)
			p.Signal(t, syscall.SIGTERM)
			if code := p.Wait(t, patience); code != 0 {
				t.Errorf("exit code %d", code)
			}
			inOrder(t, p.Output(), "Deregistering node: ", "Server [grpc] Draining", "Server [grpc] Stopped")
			replicas[i] = start()
			testkit.Eventually(t, patience, "three nodes are listed", whole)
		}
	}
	load.More(t, 300)
	load.Stop()
	t.Logf("measured: %v", load)
	if err := load.Err(); err != nil {
		t.Logf("the first failure: %v", err)
	}
	atMost(t, "failed calls", load.Failed(), 0)
}

// inOrder fails the test unless each of the texts stands in output, behind the one
// before it.
func inOrder(t *testing.T, output string, texts ...string) {
	t.Helper()
	rest := output
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Errorf("%q is missing, or too early, in:\n%s", text, output)
			return
		}
		rest = after
	}
}
