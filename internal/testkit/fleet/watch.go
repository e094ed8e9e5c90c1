package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// watchPatience is how long a test waits for what a Watcher is to tell.
const watchPatience = 30 * time.Second

// Watcher reads a registry's Watcher to its end and keeps what it said. Its
// methods may be called from any goroutine.
type Watcher struct {
	w    registry.Watcher
	read sync.WaitGroup
	each func(*registry.Result)

	mu     sync.Mutex
	events []string          // "create service/id" each
	nodes  map[string]string // by "service/id": the node's metadata "text"
}

// Watch opens a Watcher that is read until the end of the test. It knows what it is
// told and nothing else. each, which may be nil, is called for every event, in order
// and from one goroutine.
func Watch(t testing.TB, r registry.Registry, each func(*registry.Result), opts ...registry.WatchOption) *Watcher {
	t.Helper()
	w, err := r.Watch(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, w, each, map[string]string{})
}

// Follow is Watch of one service that begins with the nodes that are there.
func Follow(t testing.TB, r registry.Registry, service string) *Watcher {
	t.Helper()
	w, err := r.Watch(registry.WatchService(service))
	if err != nil {
		t.Fatal(err)
	}
	there, err := Addresses(r, service)
	if err != nil {
		w.Stop()
		t.Fatal(err)
	}
	nodes := map[string]string{}
	for id := range there {
		nodes[service+"/"+id] = ""
	}
	return read(t, w, nil, nodes)
}

func read(t testing.TB, w registry.Watcher, each func(*registry.Result), nodes map[string]string) *Watcher {
	s := &Watcher{w: w, nodes: nodes, each: each}
	s.read.Go(func() {
		for {
			e, err := w.Next()
			if err != nil {
				return // stopped
			}
			s.add(e)
		}
	})
	t.Cleanup(s.Stop)
	return s
}

// Stop ends the Watcher and waits for its reader.
func (s *Watcher) Stop() {
	s.w.Stop()
	s.read.Wait()
}

func (s *Watcher) add(e *registry.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range e.Service.Nodes {
		node := e.Service.Name + "/" + n.Id
		s.events = append(s.events, e.Action+" "+node)
		if e.Action == registry.Delete.String() {
			delete(s.nodes, node)
		} else {
			s.nodes[node] = n.Metadata["text"]
		}
	}
	if s.each != nil {
		s.each(e)
	}
}

// Events returns how many events there were.
func (s *Watcher) Events() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.events)
}

// Said returns the events from the given one on, "create service/id" each.
func (s *Watcher) Said(from int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events[from:])
}

// Told waits until there are n more events than from, and returns how long that
// took since begin.
func (s *Watcher) Told(t testing.TB, begin time.Time, from, n int) time.Duration {
	t.Helper()
	testkit.Eventually(t, watchPatience, fmt.Sprintf("%d events", n), func() bool { return s.Events() >= from+n })
	return time.Since(begin)
}

// Counted returns how many events from the given one on are of the action.
func (s *Watcher) Counted(from int, action registry.EventType) int {
	n := 0
	for _, e := range s.Said(from) {
		if strings.HasPrefix(e, action.String()+" ") {
			n++
		}
	}
	return n
}

// Text returns what the Watcher knows of a node "service/id", "" if nothing.
func (s *Watcher) Text(node string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[node]
}

// Nodes returns what the Watcher knows, by "service/id".
func (s *Watcher) Nodes() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.nodes)
}

// IDs returns the ids of the nodes that the Watcher knows, sorted.
func (s *Watcher) IDs() []string {
	var out []string
	for node := range s.Nodes() {
		out = append(out, node[strings.LastIndexByte(node, '/')+1:])
	}
	slices.Sort(out)
	return out
}

// Is tells whether the Watcher knows the nodes of these ids and no other.
func (s *Watcher) Is(ids ...string) bool {
	want := slices.Clone(ids)
	slices.Sort(want)
	return slices.Equal(s.IDs(), want)
}
