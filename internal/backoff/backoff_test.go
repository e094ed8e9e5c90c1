package backoff_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestCeilingDoublesUpToMax(t *testing.T) {
	b := backoff.Backoff{Base: 100 * time.Millisecond, Max: time.Second}
	want := []time.Duration{100, 200, 400, 800, 1000, 1000}
	for attempt, ms := range want {
		if got := b.Ceiling(attempt); got != ms*time.Millisecond {
			t.Errorf("attempt %d: ceiling %v, want %v", attempt, got, ms*time.Millisecond)
		}
	}
	if got := b.Ceiling(-3); got != b.Base {
		t.Errorf("negative attempt: ceiling %v, want %v", got, b.Base)
	}
	if got := b.Ceiling(math.MaxInt); got != b.Max {
		t.Errorf("huge attempt: ceiling %v, want %v", got, b.Max)
	}
	if got := (backoff.Backoff{Base: time.Hour}).Ceiling(1000); got <= 0 {
		t.Errorf("without Max the ceiling overflowed to %v", got)
	}
}

func TestNextIsDrawnBelowTheCeiling(t *testing.T) {
	for _, draw := range []float64{0, 0.25, 0.999} {
		b := backoff.Backoff{Base: time.Second, Max: 3 * time.Second, Rand: func() float64 { return draw }}
		for attempt, ceiling := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second} {
			if got, want := b.Next(attempt), time.Duration(draw*float64(ceiling)); got != want {
				t.Errorf("attempt %d, draw %v: %v, want %v", attempt, draw, got, want)
			}
		}
	}
}

func TestZeroValueDoesNotWait(t *testing.T) {
	if got := (backoff.Backoff{}).Next(7); got != 0 {
		t.Errorf("zero value waits %v", got)
	}
	if got := (backoff.Backoff{Base: -time.Second}).Next(0); got != 0 {
		t.Errorf("negative base waits %v", got)
	}
}

func TestNextSpreads(t *testing.T) {
	b := backoff.Backoff{Base: time.Second}
	seen := map[time.Duration]bool{}
	for range 20 {
		pause := b.Next(0)
		if pause < 0 || pause >= time.Second {
			t.Fatalf("pause %v outside [0, 1s)", pause)
		}
		seen[pause] = true
	}
	if len(seen) < 10 {
		t.Errorf("20 draws gave %d different pauses", len(seen))
	}
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		begun := time.Now()
		if err := backoff.Wait(ctx, time.Minute); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("waited %v: %v", time.Since(begun), err)
		}
		time.AfterFunc(time.Second, func() { cancel(reason) })
		if err := backoff.Wait(ctx, time.Minute); err != reason || time.Since(begun) != time.Minute+time.Second {
			t.Errorf("waited %v: %v", time.Since(begun), err)
		}
		for _, d := range []time.Duration{-1, 0, time.Hour} {
			if err := backoff.Wait(ctx, d); err != reason {
				t.Errorf("Wait(%v) after the end: %v", d, err)
			}
		}
		if time.Since(begun) != time.Minute+time.Second {
			t.Error("it waits after the end")
		}
		if err := backoff.Wait(t.Context(), 0); err != nil {
			t.Error(err)
		}
	})
}
