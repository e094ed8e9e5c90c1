package registrytest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
)

const (
	// aCrowd is how many nodes every backend should hold.
	aCrowd = 10_000
	// inOneService is how many of them are of one service.
	inOneService = 100
	// atOnce is how many are registered by one call.
	atOnce = 10
)

// crowded registers many nodes, by several goroutines at once, finds all of them, and
// a watcher ends up knowing all of them. Then all are deregistered.
func (s *suite) crowded(t *testing.T) {
	r := s.open(t)
	if s.crowd < aCrowd {
		s.says(r, "crowd", fmt.Sprintf("the backend is tested with %d nodes rather than %d", s.crowd, aCrowd))
	}
	first := &registry.Service{Name: "crowd-00000", Version: "1"}
	var calls []*registry.Service
	for i := 0; i < s.crowd; i += atOnce {
		call := &registry.Service{Name: fmt.Sprintf("crowd-%05d", i/inOneService), Version: "1"}
		for j := i; j < min(i+atOnce, s.crowd); j++ {
			call.Nodes = append(call.Nodes, &registry.Node{Id: fmt.Sprintf("node-%05d", j), Address: fmt.Sprintf("10.%d.%d.%d:80", j>>16, j>>8&255, j&255)})
		}
		if calls = append(calls, call); call.Name == first.Name {
			first.Nodes = append(first.Nodes, call.Nodes...)
		}
	}
	w := s.watch(t, r)
	each(t, calls, func(one *registry.Service) error { return r.Register(one, registry.RegisterTTL(10*time.Minute)) })
	s.holds(t, r, first.Name, first)
	s.settles(t, func() error { return lists(r, s.crowd) })
	w.folds(t, s.crowd)
	each(t, calls, func(one *registry.Service) error { return r.Deregister(one) })
	s.holds(t, r, first.Name)
	s.settles(t, func() error { return lists(r, 0) })
	w.folds(t, 0)
}

// each calls f with every service, some at a time.
func each(t *testing.T, services []*registry.Service, f func(*registry.Service) error) {
	t.Helper()
	var working sync.WaitGroup
	work := make(chan *registry.Service)
	for range 4 {
		working.Go(func() {
			for one := range work {
				if t.Failed() {
					continue // one failure tells enough
				}
				if err := f(one); err != nil {
					t.Errorf("%q with %d nodes: %v", one.Name, len(one.Nodes), err)
				}
			}
		})
	}
	for _, one := range services {
		work <- one
	}
	close(work)
	working.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// lists returns an error unless the registry lists so many nodes.
func lists(r registry.Registry, nodes int) error {
	got, err := r.ListServices()
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if n := len(ids(got...)); n != nodes {
		return fmt.Errorf("list: got %d nodes, want %d", n, nodes)
	}
	return inOrder(got)
}
