package defaults_test

import (
	"sync"
	"testing"

	"github.com/rollcall-go/micro/internal/defaults"
)

func TestHook(t *testing.T) {
	var h defaults.Hook
	if _, ok := defaults.Load[func() int](&h); ok {
		t.Fatal("the zero hook holds a function")
	}
	h.Set(func() string { return "x" })
	if _, ok := defaults.Load[func() int](&h); ok {
		t.Fatal("Load returned a function of another type")
	}
	h.Set(func() int { return 7 })
	fn, ok := defaults.Load[func() int](&h)
	if !ok || fn() != 7 {
		t.Fatal("Load did not return what was set last")
	}
	h.Set(nil)
	if _, ok := defaults.Load[func() int](&h); ok {
		t.Fatal("Set(nil) left the hook filled")
	}
}

func TestHookConcurrently(t *testing.T) {
	var h defaults.Hook
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() { h.Set(func() int { return i }) })
		wg.Go(func() {
			if fn, ok := defaults.Load[func() int](&h); ok && fn() > 3 {
				t.Error("Load returned a function that nobody set")
			}
		})
	}
	wg.Wait()
	if _, ok := defaults.Load[func() int](&h); !ok {
		t.Fatal("the hook is empty after Set")
	}
}
