package etcd

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A burst at once, and then as many as the rate allows, however many ask.
func TestBudget(t *testing.T) {
	b := newBudget(10, 3)
	now := epoch
	taken := 0
	for range 100 {
		if b.take(now).IsZero() {
			taken++
		}
	}
	if taken != 3 {
		t.Errorf("%d at once, want 3", taken)
	}
	if at := b.take(now); !at.Equal(now.Add(100 * time.Millisecond)) {
		t.Errorf("the next at %v, want 100 ms later", at.Sub(now))
	}
	for range 1000 {
		now = now.Add(10 * time.Millisecond)
		if b.take(now).IsZero() {
			taken++
		}
	}
	if taken != 103 {
		t.Errorf("%d in 10 s, want 103", taken)
	}
}

// The keeper sends nothing without a token, and asks again when there is one.
func TestKeeperHasABudget(t *testing.T) {
	c := Open(Config{Addrs: []string{"127.0.0.1:1"}, Timeout: time.Millisecond})
	defer c.Close()
	k := newKeeper(c)
	k.budget = newBudget(10, 1)
	now := time.Now()
	at := func(d time.Duration) time.Time { return now.Add(d) }
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []*Claim
	for _, key := range []string{"a", "b", "c"} {
		cl := &Claim{k: k, m: newClaimMachine(ClaimSpec{Key: key}, now, k.random), changed: make(chan struct{}), unwatch: func() {}}
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

func TestBudgetWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(10, 1)
		begun := time.Now()
		for range 21 {
			if err := b.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("21 tokens took %v, want 2 s", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that it was given up", err)
		}
	})
}
