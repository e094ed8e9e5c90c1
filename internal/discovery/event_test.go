package discovery

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
)

func TestEvents(t *testing.T) {
	var mu sync.Mutex
	var got []string
	told := func(e Event) {
		line := e.Service + " " + e.Kind.String()
		if e.Node != nil {
			line += fmt.Sprintf(" %s (%v)", e.Node.Id, e.Cause)
		}
		if e.Err != nil {
			line += ": " + e.Err.Error()
		}
		if e.At.IsZero() {
			line += " without a time"
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, line)
	}
	run(t, Options{Events: told}, func(t *testing.T, s *source, d *Directory) {
		s.cause = feed.Vanished
		want := func(lines ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(got, lines) {
				t.Errorf("told %q, want %q", got, lines)
			}
			got = nil
		}
		d.Lookup("") // of all services: nothing is told about it
		d.Lookup("s")
		s.sink("").Update(viewOf("s", "a", ""))
		sink := s.sink("s")
		sink.Update(viewOf("s", "a b c d van1 del1", ""))
		want("s live")
		sink.Update(viewOf("s", "a b c d van1", "del1"))
		want("s departed del1 (deleted)")
		sink.Update(viewOf("s", "a b c d", "van1"))
		want("s suspected van1 (vanished)")
		sink.Update(viewOf("s", "a b c d van1", ""))
		want("s restored van1 (vanished)")
		sink.Update(viewOf("s", "b c d van1", "a"))
		want("s departed a (unknown)")
		sink.Status(down(errors.New("refused")))
		sink.Status(down(errors.New("refused still")))
		want("s stale: refused")
		sink.Status(live())
		want("s live")
		u := viewOf("s", "c d van1", "b")
		u.Gap = true
		sink.Update(u)
		want("s suspected b (unknown)")
		d.Failed("b:1")
		want("s dropped b (unknown)")
		sink.Update(viewOf("s", "c d", "van1"))
		want("s suspected van1 (vanished)")
		pass(time.Minute)
		want("s dropped van1 (vanished)")
		sink.Update(viewOf("s", "d", "c"))
		want("s departed c (unknown)")
		sink.Update(viewOf("s", "", "d")) // the last one: nobody is told that it is not called
		want("s suspected c (unknown)", "s suspected d (unknown)")
	})
}
