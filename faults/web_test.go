package faults

import (
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
)

// threeWebNodes starts three web services, and callers who have reached the first, which
// is returned.
func threeWebNodes(t *testing.T) (first *testkit.Process, address, etcd string, load *webLoad) {
	t.Helper()
	etcd = testkit.StartEtcd(t).Addr()
	first, address = webNode(t, etcd)
	for range 2 {
		webNode(t, etcd)
	}
	r := fleet.Registry(t, etcd)
	testkit.Eventually(t, patience, "three nodes are listed", func() bool { return fleet.Listed(r, webName, 3) })
	load = startWebLoad(t, r)
	load.more(t, 200)
	if load.answered(address) == 0 {
		t.Fatal("the first node was not called")
	}
	return first, address, etcd, load
}

// Row W1: one of three web services is killed with kill -9 under load. Requests that may be
// made again do not fail, and of the others those alone that it had been sent.
func TestW1KillNineOfAWebNode(t *testing.T) {
	t.Parallel()
	doomed, _, _, load := threeWebNodes(t)
	doomed.Kill()
	load.more(t, int64(times(1000, 10_000)))
	load.judge(t, 0, webCallers/2)
}

// Row W2: one of three web services is frozen under load. Requests that may be made again
// do not fail, and of the others those alone that it had been sent. Once it goes on it is
// called again.
func TestW2FrozenWebNode(t *testing.T) {
	t.Parallel()
	frozen, address, _, load := threeWebNodes(t)
	frozen.Freeze(t)
	testkit.Elapse(t, times(8*time.Second, time.Minute)) // longer than requests wait for a silent node
	frozen.Thaw(t)
	back, before := time.Now(), load.answered(address)
	within(t, "called again", since(t, back, "the node is called again", func() bool { return load.answered(address) > before+10 }), reconnected)
	load.judge(t, 0, webCallers/2+1)
}

// Row W3: one of three web services is restarted again and again under load. No request
// fails, of whatever kind, and the service says what it does in the order in which it has to.
func TestW3RestartOfAWebNode(t *testing.T) {
	t.Parallel()
	p, address, etcd, load := threeWebNodes(t)
	for range times(2, 10) {
		p.Signal(t, syscall.SIGTERM)
		if code := p.Wait(t, patience); code != 0 {
			t.Errorf("exit code %d", code)
		}
		inOrder(t, p.Output(), "Deregistering node: ", "Server [web] Draining", "Server [web] Stopped")
		load.more(t, 100)
		p, address = webNode(t, etcd)
		testkit.Eventually(t, patience, "the new node is called", func() bool { return load.answered(address) > 10 })
	}
	load.judge(t, 0, 0)
}
