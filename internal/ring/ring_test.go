package ring_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/ring"
)

func values(entries []ring.Entry[int]) []int {
	out := []int{}
	for _, e := range entries {
		out = append(out, e.Value)
	}
	return out
}

func same(t *testing.T, what string, got []ring.Entry[int], want ...int) {
	t.Helper()
	v := values(got)
	if len(v) != len(want) {
		t.Fatalf("%s: got %v, want %v", what, v, want)
	}
	for i := range v {
		if v[i] != want[i] {
			t.Fatalf("%s: got %v, want %v", what, v, want)
		}
	}
}

func TestBufferKeepsTheNewest(t *testing.T) {
	b := ring.New[int](3)
	same(t, "empty", b.Last(-1))
	for i := range 2 {
		b.Put(i)
	}
	same(t, "not full", b.Last(-1), 0, 1)
	for i := 2; i < 8; i++ {
		b.Put(i)
	}
	same(t, "full", b.Last(-1), 5, 6, 7)
	same(t, "two", b.Last(2), 6, 7)
	same(t, "more than there are", b.Last(9), 5, 6, 7)
	same(t, "none", b.Last(0))
	if b.Size() != 3 || ring.New[int](0).Size() != 1 {
		t.Error("the size is wrong")
	}
}

func TestSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ring.New[int](4)
		b.Put(1)
		time.Sleep(time.Second) // of the test's own clock
		at := time.Now()
		time.Sleep(time.Second)
		b.Put(2)
		same(t, "since then", b.Since(at), 2)
		same(t, "since ever", b.Since(time.Time{}), 1, 2)
		same(t, "since the future", b.Since(at.Add(time.Hour)))
	})
}

func TestFollowerThatIsSlowMissesEntriesAndHoldsNobodyUp(t *testing.T) {
	b := ring.New[int](8)
	b.Put(1)
	b.Put(2)
	f := b.Follow(1, 2)
	for i := 3; i < 9; i++ {
		b.Put(i)
	}
	f.Stop()
	f.Stop()
	b.Put(9)
	var got []ring.Entry[int]
	for e := range f.C() {
		got = append(got, e)
	}
	same(t, "what it got", got, 2, 3, 4)
	if f.Missed() != 4 {
		t.Errorf("it missed %d, want 4", f.Missed())
	}
}

func TestBufferConcurrently(t *testing.T) {
	b := ring.New[int](16)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			f := b.Follow(2, 1)
			defer f.Stop()
			for j := range 100 {
				b.Put(i * j)
				b.Last(5)
			}
			<-f.C()
		})
	}
	wg.Wait()
}
