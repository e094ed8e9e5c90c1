package consul_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// events is what a Watcher said, "create id" each.
type events struct {
	mu   sync.Mutex
	said []string
}

// follow opens a Watcher that is read until the end of the test.
func follow(t *testing.T, r registry.Registry, opts ...registry.WatchOption) *events {
	t.Helper()
	var w registry.Watcher
	testkit.Passes(t, 30*time.Second, "the watch begins", func() (err error) {
		w, err = r.Watch(opts...)
		return err
	})
	e := &events{}
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			result, err := w.Next()
			if err != nil {
				return // stopped
			}
			e.mu.Lock()
			for _, n := range result.Service.Nodes {
				e.said = append(e.said, result.Action+" "+n.Id)
			}
			e.mu.Unlock()
		}
	})
	t.Cleanup(func() { w.Stop(); reading.Wait() })
	return e
}

func (e *events) has(event string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.said, event)
}
