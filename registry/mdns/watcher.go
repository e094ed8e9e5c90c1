package mdns

import (
	"context"
	"fmt"
	"sync"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/watch"
	"github.com/rollcall-go/micro/registry"
)

// Watch reports every change after it returned, one event a node. It returns when
// those who are there had the time to answer, so that they are not taken for news;
// who answers later is.
func (b *backend) Watch(opts ...registry.WatchOption) (registry.Watcher, error) {
	var o registry.WatchOptions
	for _, opt := range opts {
		opt(&o)
	}
	doing := "watch all services"
	if o.Service != "" {
		if err := record.CheckName(o.Service); err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
		doing = fmt.Sprintf("watch %q", o.Service)
	}
	release, err := b.use(o.Context, o.Service)
	if err != nil {
		release()
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	w := &watcher{release: release}
	w.queue = watch.NewQueue(w.end)
	w.mu.Lock() // holds end back until it knows what to end
	defer w.mu.Unlock()
	if w.forget, err = b.engine.Observe(o.Service, w.queue.Push, w.queue.Stop); err != nil {
		release()
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	w.detach = func() bool { return false }
	if o.Context != nil {
		w.detach = context.AfterFunc(o.Context, w.queue.Stop)
	}
	return w, nil
}

// watcher is the registry.Watcher.
type watcher struct {
	queue *watch.Queue

	mu      sync.Mutex // guards what follows until Watch has returned
	release func()
	forget  func()
	detach  func() bool
}

// Next blocks until there is a change or the watcher has been stopped, in which
// case it returns registry.ErrWatcherStopped.
func (w *watcher) Next() (*registry.Result, error) { return w.queue.Next() }

// Stop ends the watch. It may be called more than once.
func (w *watcher) Stop() { w.queue.Stop() }

// end is called once, when the queue was stopped.
func (w *watcher) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.detach()
	w.forget()
	w.release()
}
