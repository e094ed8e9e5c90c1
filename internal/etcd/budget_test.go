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
	b := NewBudget(10, 3)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	taken := 0
	for range 100 {
		if b.Take(now).IsZero() {
			taken++
		}
	}
	if taken != 3 {
		t.Errorf("%d at once, want 3", taken)
	}
	if at := b.Take(now); !at.Equal(now.Add(100 * time.Millisecond)) {
		t.Errorf("the next at %v, want 100 ms later", at.Sub(now))
	}
	for range 1000 {
		now = now.Add(10 * time.Millisecond)
		if b.Take(now).IsZero() {
			taken++
		}
	}
	if taken != 103 {
		t.Errorf("%d in 10 s, want 103", taken)
	}
}

func TestBudgetWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(10, 1)
		begun := time.Now()
		for range 21 {
			if err := b.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("21 tokens took %v, want 2 s", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that it was given up", err)
		}
	})
}
