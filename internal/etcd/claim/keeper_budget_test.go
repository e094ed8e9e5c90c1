package claim

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
)

// The keeper sends nothing without a token, and asks again when there is one.
func TestKeeperHasABudget(t *testing.T) {
	c := etcd.Open(etcd.Config{Addrs: []string{"127.0.0.1:1"}, Timeout: time.Millisecond})
	defer c.Close()
	k := NewKeeper(c)
	k.budget = etcd.NewBudget(10, 1)
	now := time.Now()
	at := func(d time.Duration) time.Time { return now.Add(d) }
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []*Claim
	for _, key := range []string{"a", "b", "c"} {
		cl := &Claim{k: k, m: newMachine(Spec{Key: key}, now, k.random), changed: make(chan struct{}), unwatch: func() {}}
		cl.lease = k.leaseFor(time.Minute, false)
		cl.lease.claims[cl] = struct{}{}
		k.claims[cl] = struct{}{}
		all = append(all, cl)
	}
	granting := func() (n int) {
		for l := range k.leases {
			if l.granting {
				n++
			}
		}
		return n
	}
	if next := k.turn(now); !next.Equal(at(100*time.Millisecond)) || granting() != 1 {
		t.Errorf("%d grants, the next turn after %v, want 1 and 100 ms", granting(), next.Sub(now))
	}
	if k.turn(at(99 * time.Millisecond)); granting() != 1 {
		t.Errorf("%d grants before the next token", granting())
	}
	if k.turn(at(200 * time.Millisecond)); granting() != 2 {
		t.Errorf("%d grants with the next token, want 2", granting())
	}
	for i, cl := range all {
		cl.lease.begun(int64(i+1), time.Minute, at(time.Second))
		cl.lease.granting = false
		cl.m.leaseReady(cl.lease.id)
	}
	if next := k.turn(at(time.Second)); !next.Equal(at(1100*time.Millisecond)) || k.requests != 1 {
		t.Errorf("%d writes, the next turn after %v, want 1 and 1.1 s", k.requests, next.Sub(now))
	}
	if k.turn(at(1100 * time.Millisecond)); k.requests != 2 {
		t.Errorf("%d writes with the next token, want 2", k.requests)
	}
}
