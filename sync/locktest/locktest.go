// Package locktest is the one suite for implementations of sync.Sync.
package locktest

import (
	"context"
	"errors"
	"fmt"
	gosync "sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/sync"
)

// patience is how long the suite waits for what has to happen.
const patience = 30 * time.Second

// Run tests an implementation. made returns one whose locks are free, and closes it at the
// end of the test if that has to be done.
func Run(t *testing.T, made func(t *testing.T) sync.Sync) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, sync.Sync)
	}{
		{"OneAtATime", oneAtATime},
		{"Wait", wait},
		{"NotHeld", notHeld},
		{"Leader", leader},
		{"Prefix", prefix},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, made(t)) })
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, sync.Fencing)
	}{
		{"Tokens", tokens},
		{"Canceled", canceled},
		{"Released", released},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, ok := made(t).(sync.Fencing)
			if !ok {
				t.Skip("it gives no tokens")
			}
			test.run(t, s)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func acquire(t *testing.T, s sync.Fencing, id string) sync.Held {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	h, err := s.Acquire(ctx, id)
	must(t, err)
	return h
}

func oneAtATime(t *testing.T, s sync.Sync) {
	var inside atomic.Int64
	var workers gosync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for range 3 {
				if err := s.Lock("counter"); err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				inside.Add(-1)
				if err := s.Unlock("counter"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
}

func wait(t *testing.T, s sync.Sync) {
	must(t, s.Lock("a"))
	must(t, s.Lock("b")) // another one
	if err := s.Lock("a", sync.LockWait(50*time.Millisecond)); err != sync.ErrLockTimeout {
		t.Errorf("waiting for a lock that is held: %v", err)
	}
	must(t, s.Unlock("a"))
	must(t, s.Lock("a", sync.LockWait(patience)))
	must(t, s.Unlock("a"))
	must(t, s.Unlock("b"))
}

func notHeld(t *testing.T, s sync.Sync) {
	if err := s.Unlock("a"); !errors.Is(err, sync.ErrNotHeld) {
		t.Errorf("a lock that nobody holds: %v", err)
	}
	must(t, s.Lock("a"))
	must(t, s.Unlock("a"))
	if err := s.Unlock("a"); !errors.Is(err, sync.ErrNotHeld) {
		t.Errorf("unlocked twice: %v", err)
	}
}

func leader(t *testing.T, s sync.Sync) {
	first, err := s.Leader("a")
	must(t, err)
	if err := s.Lock("a", sync.LockWait(50*time.Millisecond)); err != sync.ErrLockTimeout {
		t.Errorf("the lock of who leads: %v", err)
	}
	status := first.Status()
	next := make(chan sync.Leader, 1)
	go func() {
		l, err := s.Leader("a")
		if err != nil {
			t.Error(err)
		}
		next <- l
	}()
	select {
	case <-status:
		t.Error("it leads no more")
	case <-next:
		t.Error("two lead")
	default:
	}
	must(t, first.Resign())
	if ended, ok := <-status; !ended || !ok {
		t.Error("the status does not say that it ended")
	}
	if _, ok := <-status; ok {
		t.Error("the status is not closed")
	}
	second := <-next
	if <-first.Status(); second == nil {
		t.Fatal("nobody leads")
	}
	if h, ok := second.(sync.Held); ok != isFencing(s) || ok && (h.Token() <= 0 || h.Err() != nil) {
		t.Errorf("what it leads by is no lock that is held: %v", ok)
	}
	must(t, second.Resign())
}

func isFencing(s sync.Sync) bool { _, ok := s.(sync.Fencing); return ok }

func prefix(t *testing.T, s sync.Sync) {
	must(t, s.Lock("a"))
	must(t, s.Init(sync.Prefix("fleet-")))
	if p := s.Options().Prefix; p != "fleet-" {
		t.Errorf("the prefix is %q", p)
	}
	must(t, s.Lock("b"))
	must(t, s.Unlock("b"))
	must(t, s.Unlock("a")) // what was held before is held on
}

func tokens(t *testing.T, s sync.Fencing) {
	last := int64(0)
	for range 5 {
		h := acquire(t, s, "a")
		if h.Token() <= last {
			t.Errorf("token %d after %d", h.Token(), last)
		}
		last = h.Token()
		must(t, h.Release(t.Context()))
	}
}

func canceled(t *testing.T, s sync.Fencing) {
	over, end := context.WithCancel(t.Context())
	end()
	for range 10 { // it is free, and yet no turn of who has gone
		if _, err := s.Acquire(over, "a"); !errors.Is(err, context.Canceled) {
			t.Fatalf("whose context was over before got %v", err)
		}
	}
	first := acquire(t, s, "a")
	why := fmt.Errorf("the caller went home")
	ctx, cancel := context.WithCancelCause(t.Context())
	waiting := make(chan error, 1)
	go func() {
		_, err := s.Acquire(ctx, "a")
		waiting <- err
	}()
	cancel(why)
	if err := <-waiting; !errors.Is(err, why) && !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up got %v", err)
	}
	must(t, first.Release(t.Context()))
	must(t, acquire(t, s, "a").Release(t.Context())) // nobody stands in the way
}

func released(t *testing.T, s sync.Fencing) {
	h := acquire(t, s, "a")
	select {
	case <-h.Lost():
		t.Error("lost at once")
	default:
	}
	if err := h.Err(); err != nil {
		t.Errorf("while it is held: %v", err)
	}
	must(t, h.Release(t.Context()))
	<-h.Lost()
	if err := h.Err(); !errors.Is(err, sync.ErrReleased) {
		t.Errorf("after its release: %v", err)
	}
	if err := h.Release(t.Context()); err != nil {
		t.Errorf("released twice: %v", err)
	}
}
