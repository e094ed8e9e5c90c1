package delivery

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/broker"
)

// gate is work that waits until it is opened, and notes what it was given.
type gate struct {
	open chan struct{}
	mu   sync.Mutex
	done []int
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) work(n int) {
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done = append(g.done, n)
}

func one(int) int { return 1 }

// within returns a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestALaneKeepsTheOrderAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		l := NewLane(Limits{Workers: 1, Messages: 100, Bytes: 100}, g.work, one)
		for i := range 50 {
			if err := l.Put(t.Context(), i); err != nil {
				t.Fatal(err)
			}
		}
		l.Close()
		if err := l.Put(t.Context(), 50); !errors.Is(err, broker.ErrNotConnected) || l.TryPut(51) {
			t.Errorf("a closed lane takes more: %v", err)
		}
		close(g.open)
		<-l.Done()
		if len(g.done) != 50 || !slices.IsSorted(g.done) {
			t.Errorf("worked on %v", g.done)
		}
		l.Close()
	})
}

func TestAsManyWorkersAsAreToBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		l := NewLane(Limits{Workers: 3, Messages: 100, Bytes: 100}, g.work, one)
		for i := range 10 {
			if !l.TryPut(i) {
				t.Fatal("no room")
			}
		}
		synctest.Wait()
		if waiting, running := l.Load(); waiting != 7 || running != 3 {
			t.Errorf("%d wait, %d are worked on", waiting, running)
		}
		close(g.open)
		synctest.Wait()
		if waiting, running := l.Load(); waiting != 0 || running != 0 {
			t.Errorf("%d wait, %d are worked on, at the end", waiting, running)
		}
		l.Close()
		<-l.Done()
	})
}

// Who waits for room in vain is the only one who does, until there is room again.
func TestAFullLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		l := NewLane(Limits{Workers: 1, Messages: 2, Bytes: 100}, g.work, one)
		for i := range 2 {
			if err := l.Put(t.Context(), i); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if !l.TryPut(2) || l.TryPut(3) {
			t.Error("one worked on and two waiting are not what it takes")
		}
		for i, want := range []time.Duration{time.Second, 0, 0} {
			begun := time.Now()
			err := l.Put(within(t, time.Second), 3)
			if took := time.Since(begun); !errors.Is(err, broker.ErrFull) || took != want {
				t.Errorf("attempt %d ended after %s, want %s: %v", i, took, want, err)
			}
		}
		g.open <- struct{}{}
		synctest.Wait()
		if !l.TryPut(3) {
			t.Error("there is no room after one was worked on")
		}
		// Now it is full and not behind: two wait, and each gets the room that comes.
		var put sync.WaitGroup
		for i := range 2 {
			put.Go(func() {
				if err := l.Put(within(t, time.Minute), 4+i); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(g.open)
		put.Wait()
		l.Close()
		<-l.Done()
		if len(g.done) != 6 {
			t.Errorf("worked on %v", g.done)
		}
	})
}

func TestALaneIsBoundedByBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		l := NewLane(Limits{Workers: 1, Messages: 100, Bytes: 10}, g.work, func(n int) int { return n })
		for i, n := range []int{1, 9, 1000, 1} {
			if got := l.TryPut(n); got != (i < 3) {
				t.Errorf("a message of %d bytes was taken: %v", n, got)
			}
			synctest.Wait()
		}
		if left := l.Discard(); !slices.Equal(left, []int{9, 1000}) {
			t.Errorf("%v waited", left)
		}
		if !l.TryPut(2) {
			t.Error("a lane that was emptied takes nothing")
		}
		close(g.open)
		l.Close()
		<-l.Done()
	})
}

func TestCloseWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		l := NewLane(Limits{Workers: 1, Messages: 1, Bytes: 10}, g.work, one)
		for i := range 2 {
			l.TryPut(i)
			synctest.Wait()
		}
		ended := make(chan error, 1)
		go func() { ended <- l.Put(t.Context(), 3) }()
		synctest.Wait()
		l.Close()
		if err := <-ended; !errors.Is(err, broker.ErrNotConnected) {
			t.Errorf("got %v", err)
		}
		close(g.open)
		<-l.Done()
	})
}

func TestWorkThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done []int
		l := NewLane(Limits{Workers: 1, Messages: 10, Bytes: 10}, func(n int) {
			if n == 1 {
				runtime.Goexit()
			}
			done = append(done, n)
		}, one)
		for i := range 3 {
			l.TryPut(i)
		}
		l.Close()
		<-l.Done()
		if !slices.Equal(done, []int{0, 2}) {
			t.Errorf("worked on %v", done)
		}
	})
}

func TestManyPutAtOnce(t *testing.T) {
	var got sync.Map
	l := NewLane(Limits{Workers: 4, Messages: 8, Bytes: 1000}, func(n int) { got.Store(n, true) }, one)
	var put sync.WaitGroup
	for w := range 8 {
		put.Go(func() {
			for i := range 500 {
				if err := l.Put(t.Context(), w*500+i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	put.Wait()
	l.Close()
	<-l.Done()
	for n := range 4000 {
		if _, ok := got.Load(n); !ok {
			t.Fatal(fmt.Sprint(n, " was lost"))
		}
	}
}
