package ring_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/compat/util/ring"
)

func values(entries []*ring.Entry) string {
	var all []any
	for _, e := range entries {
		all = append(all, e.Value)
	}
	return fmt.Sprint(all...)
}

func TestBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ring.New(3)
		begin := time.Now()
		for i := range 5 {
			time.Sleep(time.Second)
			b.Put(i)
		}
		for n, want := range map[int]string{-1: "2 3 4", 0: "", 2: "3 4", 3: "2 3 4", 9: "2 3 4"} {
			if got := values(b.Get(n)); got != want {
				t.Errorf("the last %d are %q, want %q", n, got, want)
			}
		}
		for after, want := range map[time.Duration]string{0: "2 3 4", 4 * time.Second: "4", 5 * time.Second: "", time.Hour: ""} {
			if got := values(b.Since(begin.Add(after))); got != want {
				t.Errorf("since %s there are %q, want %q", after, got, want)
			}
		}
		if got := values(b.Since(time.Time{})); got != "2 3 4" || b.Size() != 3 {
			t.Errorf("all of them are %q of %d", got, b.Size())
		}
	})
}

func TestStream(t *testing.T) {
	b := ring.New(1)
	b.Put("before")
	entries, stop := b.Stream()
	b.Put("a")
	if e := <-entries; e.Value != "a" {
		t.Errorf("received %v", e.Value)
	}
	for i := range 200 { // nobody receives: who puts does not wait
		b.Put(i)
	}
	close(stop)
	b.Put("behind")
	n := 0
	for e := range entries {
		if n++; e.Value == "behind" {
			t.Error("a stream that was stopped received an entry")
		}
	}
	if n != 128 {
		t.Errorf("%d entries waited", n)
	}
}
