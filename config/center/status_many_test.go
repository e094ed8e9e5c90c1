package center

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/internal/testkit"
)

// TestARollbackReachesAHundred measures from before the rollback to when a hundred instances,
// each with a connection of its own and a bound part, have said that they have it.
func TestARollbackReachesAHundred(t *testing.T) {
	const instances, limit = 100, 10 * time.Second // the goal is 2 s, on a machine that does nothing else
	e := testkit.StartEtcd(t)
	c := open(t, e.Addr(), "")
	first := release(t, c, Put("limits", `{"max":1}`))
	var all []*config.Bound[limits]
	var want []string
	for n := range instances {
		node := fmt.Sprintf("n%03d", n)
		b, err := config.Bind[limits](instance(t, e.Addr(), "", "shop", node), "limits")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		all, want = append(all, b), append(want, node+" current")
	}
	states(t, c, "shop", want...)
	if err := taken(t, c, release(t, c, Put("limits", `{"max":2}`))); err != nil {
		t.Fatal(err)
	}
	const puts = "etcd_mvcc_put_total"
	before, begun := e.Metric(t, puts), time.Now()
	d, err := c.Rollback(t.Context(), first.Number)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Release(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if err := taken(t, c, r); err != nil {
		t.Fatal(err)
	}
	took, written := time.Since(begun), e.Metric(t, puts)-before
	for _, b := range all {
		if got := b.Get().Max; got != 1 {
			t.Fatalf("an instance that said that it has it has %d", got)
		}
	}
	t.Logf("%d instances have it after %v, for %d writes", instances, took, written)
	if took > limit || written > instances+2 {
		t.Errorf("it took %v and %d writes, want %v and %d at most", took, written, limit, instances+2)
	}
}
