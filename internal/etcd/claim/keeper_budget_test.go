package claim

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
)

// What was lost is made good only with a token, and when there is one.
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
		cl := &Claim{k: k, m: newMachine(Spec{Key: key}, now, k.random), changed: make(chan struct{})}
		cl.m.started, cl.m.unbatched = true, true // it was there once, and is written by itself
		cl.lease = k.newLease(60)
		cl.lease.used = true // so was its lease
		cl.lease.add(cl)
		k.claims[cl] = struct{}{}
		k.plan(now, cl.lease)
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
		cl.lease.onGranted(int64(i+1), time.Minute, at(time.Second))
		cl.lease.granting = false
		k.plan(at(time.Second), cl.lease)
		k.apply(cl, func(m *machine) { m.onLeaseGranted(cl.lease.id) })
	}
	if next := k.turn(at(time.Second)); !next.Equal(at(1100*time.Millisecond)) || k.requests != 1 {
		t.Errorf("%d writes, the next turn after %v, want 1 and 1.1 s", k.requests, next.Sub(now))
	}
	if k.turn(at(1100 * time.Millisecond)); k.requests != 2 {
		t.Errorf("%d writes with the next token, want 2", k.requests)
	}
}

// What a caller asks for does not wait for a token.
func TestRegistrationsNeedNoBudget(t *testing.T) {
	c := etcd.Open(etcd.Config{Addrs: []string{"127.0.0.1:1"}, Timeout: time.Millisecond})
	defer c.Close()
	k := NewKeeper(c)
	k.budget = etcd.NewBudget(1, 1)
	k.budget.Take(time.Now())
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	cl := &Claim{k: k, m: newMachine(Spec{Key: "a"}, now, k.random), changed: make(chan struct{})}
	cl.lease = k.leaseFor(now, time.Minute, false)
	cl.lease.add(cl)
	k.claims[cl] = struct{}{}
	k.plan(now, cl.lease)
	k.turn(now)
	if k.grants != 1 {
		t.Errorf("%d grants, want 1", k.grants)
	}
	cl.lease.onGranted(1, time.Minute, now)
	k.apply(cl, func(m *machine) { m.onLeaseGranted(1) })
	k.turn(now)
	if k.requests != 1 {
		t.Errorf("%d writes, want 1", k.requests)
	}
}

// A claim that wants nothing any more while others wait for a token, and then wants
// something again, is sent once.
func TestKeeperSendsNothingTwice(t *testing.T) {
	c := etcd.Open(etcd.Config{Addrs: []string{"127.0.0.1:1"}, Timeout: time.Millisecond})
	defer c.Close()
	k := NewKeeper(c)
	k.budget = etcd.NewBudget(1, 1)
	now := time.Now()
	k.budget.Take(now)
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []*Claim
	for _, key := range []string{"a", "b"} {
		cl := &Claim{k: k, m: newMachine(Spec{Key: key, Value: []byte("v")}, now, k.random), changed: make(chan struct{})}
		cl.m.started = true // nobody waits for it
		cl.lease = k.newLease(60)
		cl.lease.add(cl)
		cl.lease.onGranted(int64(len(all)+1), time.Minute, now)
		k.claims[cl] = struct{}{}
		k.apply(cl, func(m *machine) { m.onLeaseGranted(cl.lease.id) })
		all = append(all, cl)
	}
	k.turn(now)
	for _, held := range []bool{true, false} {
		k.apply(all[0], func(m *machine) {
			m.known, m.check = held, now.Add(time.Hour)
			m.entry = &mirror.Entry{Key: "a", Value: []byte("v"), Lease: m.lease}
		})
		k.turn(now)
	}
	ops, _, _ := k.batch(now)
	if len(ops) != 2 {
		t.Errorf("%d operations for two claims", len(ops))
	}
}
