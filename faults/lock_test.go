package faults

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
)

// handover is how long after the end of a lease the next in line may hold: etcd looks for
// leases that have ended every half second, some at a time.
const handover = 2 * time.Second

// inLine waits until so many stand in line.
func inLine(t *testing.T, c *clientv3.Client, n int) {
	t.Helper()
	testkit.Eventually(t, patience, fmt.Sprintf("%d stand in line", n), func() bool {
		answer, err := c.Get(t.Context(), lockLine, clientv3.WithPrefix(), clientv3.WithCountOnly())
		return err == nil && answer.Count == int64(n)
	})
}

// contest is three contenders of which the first holds.
type contest struct {
	etcd    *testkit.Etcd
	client  *clientv3.Client
	proxies map[string]*testkit.Proxy
	procs   map[string]*testkit.Process
	ledger  *ledger
}

func startContest(t *testing.T) *contest {
	t.Helper()
	e := testkit.StartEtcd(t)
	c := &contest{etcd: e, client: e.Client(t), ledger: startLedger(t), proxies: map[string]*testkit.Proxy{}, procs: map[string]*testkit.Process{}}
	for i, name := range []string{"a", "b", "c"} {
		c.start(t, name)
		inLine(t, c.client, i+1)
	}
	if first := c.ledger.next(t, "holds", 0); first.Who != "a" {
		t.Fatalf("%s holds first", first.Who)
	}
	return c
}

// start starts a contender behind a proxy of its own.
func (c *contest) start(t *testing.T, name string) {
	t.Helper()
	c.proxies[name] = testkit.StartProxy(t, c.etcd.Addr())
	c.procs[name] = contender(t, name, c.proxies[name].Addr(), c.ledger)
}

// TestL1KillNineOfTheHolder: the next in line holds when the lease has ended.
func TestL1KillNineOfTheHolder(t *testing.T) {
	t.Parallel()
	c := startContest(t)
	c.procs["a"].Kill()
	killed := time.Now()
	next := c.ledger.next(t, "holds", 1)
	within(t, "held again after kill -9", next.At.Sub(killed), lockTTL+handover)
	if next.Who != "b" {
		t.Errorf("%s holds, who came after b", next.Who)
	}
	c.ledger.check(t)
}

// TestL2FrozenHolder: a holder is stopped for longer than its TTL. Another one holds, the
// first is told as soon as it goes on, and what it writes late is refused for its token.
func TestL2FrozenHolder(t *testing.T) {
	t.Parallel()
	c := startContest(t)
	c.procs["a"].Freeze(t)
	frozen := time.Now()
	next := c.ledger.next(t, "holds", 1)
	within(t, "held again after a freeze", next.At.Sub(frozen), lockTTL+handover)
	testkit.Eventually(t, patience, "the next one writes", func() bool {
		c.ledger.mu.Lock()
		defer c.ledger.mu.Unlock()
		return c.ledger.highest == next.Token
	})
	c.procs["a"].Thaw(t)
	thawed := time.Now()
	lost := c.ledger.next(t, "lost", 0)
	within(t, "told after it goes on", lost.At.Sub(thawed), time.Second)
	testkit.Eventually(t, patience, "the late write is refused", func() bool { return c.ledger.refusals() > 0 })
	inLine(t, c.client, 3) // it stands in line again
	c.ledger.check(t)
}

// TestL3HolderCutOff: a holder whose packets vanish is told before another one holds.
func TestL3HolderCutOff(t *testing.T) {
	t.Parallel()
	c := startContest(t)
	c.proxies["a"].Blackhole()
	cut := time.Now()
	lost := c.ledger.next(t, "lost", 0)
	within(t, "told after it was cut off", lost.At.Sub(cut), lockTTL+500*time.Millisecond)
	next := c.ledger.next(t, "holds", 1)
	within(t, "held again after it was cut off", next.At.Sub(cut), lockTTL+handover)
	if early := lost.At.Sub(next.At); early > 100*time.Millisecond { // what a busy machine takes to tell
		t.Errorf("the next one held %v before the first was told", early)
	}
	c.proxies["a"].Restore(t)
	inLine(t, c.client, 3)
	c.ledger.check(t)
}

// TestL4EtcdAway: an outage that is shorter than the TTL takes nothing away. After a longer
// one somebody holds again, of those who stood in line.
func TestL4EtcdAway(t *testing.T) {
	t.Parallel()
	c := startContest(t)
	c.etcd.Freeze(t)
	testkit.Elapse(t, lockTTL/3)
	c.etcd.Thaw(t)
	testkit.Elapse(t, lockTTL)
	if n := len(c.ledger.said("lost")); n > 0 {
		t.Errorf("lost in an outage of %v", lockTTL/3)
	}
	c.etcd.Kill()
	gone := time.Now()
	lost := c.ledger.next(t, "lost", 0)
	within(t, "told after etcd was gone", lost.At.Sub(gone), lockTTL+500*time.Millisecond)
	testkit.Elapse(t, lockTTL)
	back := c.etcd.Restart(t)
	// Leases begin anew with etcd: that of the former holder too.
	within(t, "held again after etcd is back", c.ledger.next(t, "holds", 1).At.Sub(back), lockTTL+handover+2*time.Second)
	inLine(t, c.client, 3)
	c.ledger.check(t)
}

// TestL5EtcdWiped: with etcd's data the tokens are gone. The holder is told, somebody holds
// again, and what compares tokens refuses those that start over, until somebody decides.
func TestL5EtcdWiped(t *testing.T) {
	t.Parallel()
	c := startContest(t)
	c.procs["a"].Kill()
	before := c.ledger.next(t, "holds", 1)
	c.etcd.Kill()
	c.etcd.Wipe()
	wiped := time.Now()
	back := c.etcd.Restart(t)
	lost := c.ledger.next(t, "lost", 0)
	within(t, "told after etcd was wiped", lost.At.Sub(wiped), lockTTL+500*time.Millisecond)
	next := c.ledger.next(t, "holds", 2)
	within(t, "held again after etcd is back", next.At.Sub(back), lockTTL+handover)
	t.Logf("measured: token %d after %d", next.Token, before.Token)
}

// TestL6AnyOrder: holders are killed, frozen and cut off, in any order.
func TestL6AnyOrder(t *testing.T) {
	t.Parallel()
	rounds := 4
	if inFull() {
		rounds = 60
	}
	c := startContest(t)
	for i := range rounds {
		holds := c.ledger.said("holds")
		who := holds[len(holds)-1].Who
		fault := rand.IntN(3)
		t.Logf("round %d: %s holds, fault %d", i, who, fault)
		switch fault {
		case 0:
			c.procs[who].Kill()
			c.start(t, fmt.Sprintf("%s%d", who[:1], i))
		case 1:
			c.procs[who].Freeze(t)
		case 2:
			c.proxies[who].Blackhole()
		}
		c.ledger.next(t, "holds", len(holds))
		switch fault {
		case 1:
			c.procs[who].Thaw(t)
		case 2:
			c.proxies[who].Restore(t)
		}
		inLine(t, c.client, 3)
	}
	c.ledger.check(t)
}
