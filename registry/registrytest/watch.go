package registrytest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// watching reads a Watcher in the background.
type watching struct {
	suite   *suite
	w       registry.Watcher
	results chan *registry.Result
	err     error // why reading ended; read it after results is closed
	within  time.Duration
	nodes   map[[2]string]bool // that are there, by what folds has read
}

// watch opens a Watcher and stops it at the end of the test.
func (s *suite) watch(t *testing.T, r registry.Registry, opts ...registry.WatchOption) *watching {
	t.Helper()
	w, err := r.Watch(opts...)
	if err != nil {
		t.Fatalf("watch: %v", err)
	}
	return s.reading(t, w)
}

// reading reads a Watcher, and stops it at the end of the test.
func (s *suite) reading(t *testing.T, w registry.Watcher) *watching {
	t.Helper()
	ws := &watching{suite: s, nodes: map[[2]string]bool{}, w: w, results: make(chan *registry.Result), within: s.patience}
	stopped := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(ws.results)
		for {
			result, err := w.Next()
			if err != nil {
				ws.err = err
				return
			}
			select {
			case ws.results <- result:
			case <-stopped:
			}
		}
	})
	t.Cleanup(func() {
		close(stopped)
		w.Stop()
		reading.Wait()
	})
	return ws
}

// next returns the next result.
func (w *watching) next(t *testing.T) *registry.Result {
	t.Helper()
	timeout := time.NewTimer(w.within)
	defer timeout.Stop()
	select {
	case r, ok := <-w.results:
		if !ok {
			t.Fatalf("Next returned %v, want a result", w.err)
		}
		if r == nil || r.Service == nil {
			t.Fatalf("Next returned %+v, want a result with a service", r)
		}
		return r
	case <-timeout.C:
		t.Fatalf("the watcher saw nothing within %v", w.within)
	}
	return nil
}

// sees checks the next result.
func (w *watching) sees(t *testing.T, action registry.EventType, want *registry.Service) {
	t.Helper()
	r := w.next(t)
	if r.Action != action.String() || w.suite.describe(r.Service) != w.suite.describe(want) {
		t.Fatalf("the watcher saw %q\n%s\nwant %q\n%s", r.Action, describe(r.Service), action, describe(want))
	}
}

// leaves checks that the next result is the delete of a node. It tells at least which.
func (w *watching) leaves(t *testing.T, service, id string) {
	t.Helper()
	r := w.next(t)
	if r.Action != registry.Delete.String() || r.Service.Name != service || !slices.Equal(ids(r.Service), []string{id}) {
		t.Fatalf("the watcher saw %q\n%s\nwant the delete of node %q of %q", r.Action, describe(r.Service), id, service)
	}
}

// folds reads results until so many nodes are there by them.
func (w *watching) folds(t *testing.T, nodes int) {
	t.Helper()
	for len(w.nodes) != nodes {
		w.fold(t, w.next(t))
	}
}

// fold takes in a result: a node is created if it is not there, and deleted or
// updated if it is.
func (w *watching) fold(t *testing.T, r *registry.Result) {
	t.Helper()
	if len(r.Service.Nodes) != 1 {
		t.Fatalf("a result holds the nodes %q, want one node a result", ids(r.Service))
	}
	id := [2]string{r.Service.Name, r.Service.Nodes[0].Id}
	if w.nodes[id] == (r.Action == registry.Create.String()) {
		t.Fatalf("%q of %q, though the results before say otherwise", r.Action, id)
	}
	if r.Action == registry.Delete.String() {
		delete(w.nodes, id)
	} else {
		w.nodes[id] = true
	}
}

func (s *suite) watchActions(t *testing.T) {
	r := s.open(t)
	before := service("before", "1", "a")
	mustRegister(t, r, before)
	s.holds(t, r, "before", before)
	w := s.watch(t, r)
	hello := service("hello", "1", "a")
	mustRegister(t, r, hello)
	w.sees(t, registry.Create, hello)
	mustRegister(t, r, hello) // which changes nothing
	hello.Nodes[0].Address = "10.9.9.9:1"
	mustRegister(t, r, hello)
	w.sees(t, registry.Update, hello)
	hello.Version = "2"
	mustRegister(t, r, hello)
	w.sees(t, registry.Update, hello)
	mustDeregister(t, r, hello)
	w.leaves(t, "hello", "a")
	mustRegister(t, r, hello)
	w.sees(t, registry.Create, hello)
}

func (s *suite) watchOne(t *testing.T) {
	r := s.open(t)
	w := s.watch(t, r, registry.WatchService("hello"))
	for _, name := range []string{"helloworld", "hell", "hello.world", "Hello", "hello/world", "hello-world"} {
		neighbour := service(name, "1", "a")
		mustRegister(t, r, neighbour)
		mustDeregister(t, r, neighbour)
	}
	hello := service("hello", "1", "a")
	mustRegister(t, r, hello)
	w.sees(t, registry.Create, hello)
	for _, name := range []string{".", "..", "/"} {
		if w, err := r.Watch(registry.WatchService(name)); err == nil {
			w.Stop()
			t.Errorf("watch %q: no error", name)
		}
	}
}

func (s *suite) watchBurst(t *testing.T) {
	const n = 100
	r := s.open(t)
	w, err := r.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	// Nobody reads while everything happens.
	for i := range n {
		mustRegister(t, r, service("hello", "1", fmt.Sprintf("node-%03d", i)))
	}
	if s.coalesces {
		s.says(r, "steps", "a watcher of the backend may leave out steps of what happens quickly")
		s.burstFolds(t, r, w, n)
		return
	}
	for i := range n {
		mustDeregister(t, r, service("hello", "1", fmt.Sprintf("node-%03d", i)))
	}
	deadline := time.AfterFunc(s.patience, w.Stop)
	defer deadline.Stop()
	for i := range 2 * n {
		result, err := w.Next()
		if err != nil {
			t.Fatalf("event %d of %d: %v", i+1, 2*n, err)
		}
		action := registry.Create
		if i >= n {
			action = registry.Delete
		}
		if id := fmt.Sprintf("node-%03d", i%n); result.Action != action.String() || result.Service.Nodes[0].Id != id {
			t.Fatalf("event %d of %d is %q of %q, want %q of %q", i+1, 2*n, result.Action, result.Service.Nodes[0].Id, action, id)
		}
	}
}

// burstFolds reads what a watcher that nobody read has to say of nodes that came, and
// of all but one that went since.
func (s *suite) burstFolds(t *testing.T, r registry.Registry, w registry.Watcher, n int) {
	t.Helper()
	reading := s.reading(t, w)
	reading.folds(t, n)
	going := service("hello", "1")
	for i := range n - 1 {
		going.Nodes = append(going.Nodes, service("hello", "1", fmt.Sprintf("node-%03d", i)).Nodes...)
	}
	mustDeregister(t, r, going) // one by one it takes some of these backends a long time
	reading.folds(t, 1)
}

func (s *suite) watchStop(t *testing.T) {
	r := s.open(t)
	w, err := r.Watch()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := w.Next()
		ended <- err
	}()
	var stopping sync.WaitGroup
	for range 3 {
		stopping.Go(w.Stop)
	}
	stopping.Wait()
	timeout := time.NewTimer(s.patience)
	defer timeout.Stop()
	select {
	case err := <-ended:
		if !errors.Is(err, registry.ErrWatcherStopped) {
			t.Errorf("Next returned %v, want ErrWatcherStopped", err)
		}
	case <-timeout.C:
		t.Fatalf("Next did not return within %v of Stop", s.patience)
	}
	if _, err := w.Next(); !errors.Is(err, registry.ErrWatcherStopped) {
		t.Errorf("Next after Stop returned %v, want ErrWatcherStopped", err)
	}
	w.Stop()
	mustRegister(t, r, service("hello", "1", "a"))
}

func (s *suite) watchersApart(t *testing.T) {
	r := s.open(t)
	idle, err := r.Watch() // never read
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Stop()
	first, second := s.watch(t, r), s.watch(t, r)
	hello := service("hello", "1", "a")
	mustRegister(t, r, hello)
	first.sees(t, registry.Create, hello)
	first.w.Stop()
	second.sees(t, registry.Create, hello)
	hello.Nodes[0].Address = "10.9.9.9:1"
	mustRegister(t, r, hello)
	second.sees(t, registry.Update, hello)
}
