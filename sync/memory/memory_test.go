package memory_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/sync"
	"github.com/rollcall-go/micro/sync/locktest"
	"github.com/rollcall-go/micro/sync/memory"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestSync(t *testing.T) {
	locktest.Run(t, func(*testing.T) sync.Sync { return memory.NewSync() })
}

func TestTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.NewSync(sync.Nodes("a:1")).(sync.Fencing)
		h, err := s.Acquire(t.Context(), "a", sync.LockTTL(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := s.Lock("a"); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begun); d != time.Minute {
			t.Errorf("the lock of a minute was held for %v", d)
		}
		<-h.Lost()
		if err := h.Err(); !errors.Is(err, sync.ErrLost) {
			t.Errorf("it was lost, and says %v", err)
		}
		if err := h.Release(t.Context()); !errors.Is(err, sync.ErrLost) {
			t.Errorf("its release says %v", err)
		}
		if err := s.Unlock("a"); err != nil {
			t.Errorf("the next one: %v", err)
		}
		if s.String() != "memory" || s.Options().Nodes[0] != "a:1" {
			t.Errorf("%s with %+v", s, s.Options())
		}
	})
}

func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.NewSync().(sync.Fencing)
		first, err := s.Acquire(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan int, 5)
		for i := range 5 {
			go func() {
				if h, err := s.Acquire(t.Context(), "a"); err == nil {
					got <- i
					_ = h.Release(t.Context())
				}
			}()
			synctest.Wait() // it is in line
		}
		if err := first.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			if n := <-got; n != i {
				t.Errorf("number %d came at place %d", n, i)
			}
		}
	})
}

func Example() {
	locks := memory.NewSync()
	if err := locks.Lock("reports", sync.LockWait(time.Second)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(locks.Lock("reports", sync.LockWait(time.Millisecond)))
	fmt.Println(locks.Unlock("reports"))
	// Output:
	// lock timeout
	// <nil>
}
