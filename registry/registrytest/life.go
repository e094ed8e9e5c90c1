package registrytest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
)

func (s *suite) expiry(t *testing.T) {
	r := s.open(t)
	if s.noExpiry {
		s.lacks(t, r, "expiry", "the backend takes no notice of the time to live")
	}
	w := s.watch(t, r)
	stays, goes := service("hello", "1", "stays"), service("hello", "1", "goes")
	mustRegister(t, r, stays, registry.RegisterTTL(10*time.Minute))
	w.sees(t, registry.Create, stays)
	mustRegister(t, r, goes, registry.RegisterTTL(s.ttl))
	w.sees(t, registry.Create, goes)
	if s.renews {
		s.outlives(t, r)
		return
	}
	w.leaves(t, "hello", "goes")
	s.holds(t, r, "hello", stays)

	// Registering again, also unchanged, renews.
	mustRegister(t, r, goes, registry.RegisterTTL(s.ttl))
	mustRegister(t, r, goes, registry.RegisterTTL(10*time.Minute))
	s.outlives(t, r)
}

// outlives checks that both nodes are there for longer than the short life.
func (s *suite) outlives(t *testing.T, r registry.Registry) {
	t.Helper()
	over := time.NewTimer(2 * s.ttl)
	defer over.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		s.holds(t, r, "hello", service("hello", "1", "stays"), nodesOnly(service("hello", "1", "goes")))
		select {
		case <-over.C:
			return
		case <-tick.C:
		}
	}
}

func (s *suite) concurrency(t *testing.T) {
	const workers, rounds = 8, 10
	r := s.open(t)
	w := s.watch(t, r)
	var working, reading sync.WaitGroup
	working.Add(workers)
	for i := range workers {
		go func() {
			defer working.Done()
			name, id := fmt.Sprintf("hello-%d", i%2), fmt.Sprintf("node-%d", i)
			for range rounds {
				if err := r.Register(service(name, "1", id), registry.RegisterTTL(time.Minute)); err != nil {
					t.Errorf("register: %v", err)
				}
				if _, err := r.GetService(name); err != nil && !errors.Is(err, registry.ErrNotFound) {
					t.Errorf("look up: %v", err)
				}
				if _, err := r.ListServices(); err != nil {
					t.Errorf("list: %v", err)
				}
				if err := r.Deregister(service(name, "1", id)); err != nil {
					t.Errorf("deregister: %v", err)
				}
				_, _ = r.Options(), r.String()
			}
		}()
	}
	// Each worker's node comes and goes once a round.
	steps := 2 * workers * rounds
	reading.Go(func() {
		for there, read := make(map[string]bool), 0; !s.coalesces && read < steps; read++ {
			result := <-w.results
			if result == nil {
				t.Errorf("Next returned %v before all events had come", w.err)
				return
			}
			id, came := result.Service.Nodes[0].Id, result.Action == registry.Create.String()
			if there[id] == came {
				t.Errorf("%q of %q, though the events before say otherwise", result.Action, id)
				return
			}
			there[id] = came
		}
	})
	working.Wait()
	stop := time.AfterFunc(s.patience, w.w.Stop)
	reading.Wait()
	stop.Stop()
	s.holds(t, r, "hello-0")
	s.holds(t, r, "hello-1")
	if s.coalesces {
		last := service("last", "1", "last")
		mustRegister(t, r, last)
		for w.folds(t, 1); !w.nodes[[2]string{"last", "last"}]; w.folds(t, 1) {
			w.fold(t, w.next(t))
		}
	}
}
