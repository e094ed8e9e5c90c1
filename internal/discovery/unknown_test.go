package discovery

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
)

// followed returns how many names are followed.
func (s *source) followed() int {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sinks)
}

func TestUnknownNamesAreBounded(t *testing.T) {
	run(t, Options{MaxUnknown: 50}, func(t *testing.T, s *source, d *Directory) {
		d.Lookup("real")
		s.sink("real").Update(viewOf("real", "a", ""))
		d.Lookup("") // of all services; not a name
		for i := range 1000 {
			name := fmt.Sprintf("unknown-%d", i)
			d.Lookup(name)
			s.sink(name).Update(feed.Update{})
			if d.Lookup("unknown-0"); i > 0 && i%20 == 0 {
				s.sink("unknown-0").Update(feed.Update{})
			}
		}
		if n := s.followed(); n != 52 {
			t.Errorf("%d names are followed, want the real one, all services, and 50", n)
		}
		if !d.Lookup("real").Known {
			t.Error("the real name was dropped")
		}
		if d.Lookup("unknown-1").Known {
			t.Error("the oldest was not dropped")
		}
		if !d.Lookup("unknown-999").Known {
			t.Error("the newest was dropped")
		}
		// Once a node appears, a name is no longer counted.
		for i := range 60 {
			name := fmt.Sprintf("late-%d", i)
			d.Lookup(name)
			s.sink(name).Update(viewOf(name, "a", ""))
		}
		for i := range 60 {
			if !d.Lookup(fmt.Sprintf("late-%d", i)).Known {
				t.Fatalf("a name that has a node was dropped")
			}
		}
	})
}

func TestWhoWaitsForAnUnknownNameIsNotDropped(t *testing.T) {
	run(t, Options{MaxUnknown: 10}, func(t *testing.T, s *source, d *Directory) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var waiting sync.WaitGroup
		for i := range 100 {
			waiting.Go(func() {
				if _, err := d.Wait(ctx, fmt.Sprintf("n-%d", i)); err != nil {
					t.Error(err)
				}
			})
		}
		if n := s.followed(); n != 100 {
			t.Errorf("%d names are followed while 100 are waited for", n)
		}
		pass(45 * time.Second) // longer than an unused name is kept
		for i := range 100 {
			s.sink(fmt.Sprintf("n-%d", i)).Update(feed.Update{})
		}
		waiting.Wait()
		pass(15 * time.Second)
		if n := s.followed(); n > 10 {
			t.Errorf("%d names are followed after the waiting, want 10 at most", n)
		}
	})
}

func TestUnknownNameIsDroppedSoon(t *testing.T) {
	run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
		d.Lookup("unknown")
		d.Lookup("gone")
		s.sink("unknown").Update(feed.Update{})
		s.sink("gone").Update(viewOf("gone", "a", ""))
		s.sink("gone").Update(viewOf("gone", "", "del"))
		pass(time.Minute)
		if s.sink("unknown") != nil {
			t.Error("a name of which no node was ever seen is still followed after a minute")
		}
		if s.sink("gone") == nil {
			t.Error("a name that had a node is not followed any more")
		}
	})
}
