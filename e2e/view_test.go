package e2e

import (
	"maps"
	"sync"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

// view is what somebody knows of one service who learns of it by a Watcher alone.
type view struct {
	mu     sync.Mutex
	nodes  map[string]bool
	events map[string]int // how many of each action
}

// watch follows the service from now on, beginning with what is there.
func watch(t *testing.T, r registry.Registry, service string) *view {
	t.Helper()
	w, err := r.Watch(registry.WatchService(service))
	if err != nil {
		t.Fatal(err)
	}
	there, err := ids(r, service)
	if err != nil {
		t.Fatal(err)
	}
	v := &view{nodes: there, events: map[string]int{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			e, err := w.Next()
			if err != nil {
				return
			}
			v.apply(e)
		}
	}()
	t.Cleanup(func() {
		w.Stop()
		<-done
	})
	return v
}

func (v *view) apply(e *registry.Result) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events[e.Action]++
	for _, n := range e.Service.Nodes {
		if e.Action == "delete" {
			delete(v.nodes, n.Id)
		} else {
			v.nodes[n.Id] = true
		}
	}
}

// is tells whether the view consists of these nodes.
func (v *view) is(nodes map[string]bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Equal(v.nodes, nodes)
}

// all returns the nodes.
func (v *view) all() map[string]bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.nodes)
}

// seen returns how many events of the action there were, and forgets them.
func (v *view) seen(action string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.events[action]
	delete(v.events, action)
	return n
}
