package budget

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func of(percent int64) *Budget {
	p := new(atomic.Int64)
	p.Store(percent)
	return New(p, time.Time{})
}

// at is a time after the budgets of these tests were made.
func at(d time.Duration) time.Time { return time.Time{}.Add(d) }

// Every call fails and asks for one more attempt, and for another after that.
func TestAPartOfTheCallsIsMadeTwice(t *testing.T) {
	const calls = 10_000
	for _, percent := range []int64{1, 20, 100} {
		b, more := of(percent), int64(0)
		for i := range calls {
			b.Call()
			for range 2 {
				if b.Take(at(time.Duration(i) * time.Microsecond)) {
					more++
				}
			}
		}
		if want := first + calls*percent/100; more != want {
			t.Errorf("%d %%: %d attempts more, want %d", percent, more, want)
		}
	}
}

// What calls that went well have saved is not without end.
func TestHealthDoesNotSaveForAStorm(t *testing.T) {
	b := of(20)
	for range 100_000 {
		b.Call()
	}
	more := 0
	for b.Take(at(time.Millisecond)) {
		more++
	}
	if more != most {
		t.Errorf("%d attempts at once, want %d", more, most)
	}
}

func TestOneASecondAlways(t *testing.T) {
	b := of(20)
	for b.Take(at(time.Second)) {
	}
	more := 0
	for ms := range 10_000 {
		if b.Take(at(time.Second + time.Duration(ms)*time.Millisecond)) {
			more++
		}
	}
	if more != 9 {
		t.Errorf("%d attempts in 10 s without calls, want 9", more)
	}
}

func TestSwitchedOff(t *testing.T) {
	none, all, missing := of(0), of(-1), (*Budget)(nil)
	missing.Call()
	for range 1000 {
		none.Call()
		if none.Take(at(time.Hour)) || !all.Take(at(0)) || !missing.Take(at(0)) {
			t.Fatal("zero allows an attempt, or a budget without bound does not")
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	const workers, each = 8, 5000
	b := of(20)
	var more atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				b.Call()
				if b.Take(at(0)) {
					more.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := more.Load(); n > first+workers*each/5 || n < workers*each/5 {
		t.Errorf("%d attempts more for %d calls", n, workers*each)
	}
}

func TestACallCostsNoMemory(t *testing.T) {
	b := of(20)
	if n := testing.AllocsPerRun(100, func() { b.Call(); b.Take(at(time.Second)) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
