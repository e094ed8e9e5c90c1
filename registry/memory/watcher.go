package memory

import (
	"context"
	"fmt"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/internal/watch"
	"github.com/rollcall-go/micro/registry"
)

// Watcher delivers the changes of a Registry, one event a node, in order. Make it
// with Registry.Watch.
type Watcher struct {
	service string // "" for all
	queue   *watch.Queue
}

var _ registry.Watcher = (*Watcher)(nil)

// Watch reports changes that happen after it returned.
func (r *Registry) Watch(opts ...registry.WatchOption) (registry.Watcher, error) {
	var o registry.WatchOptions
	for _, opt := range opts {
		opt(&o)
	}
	if o.Service != "" {
		if err := record.CheckName(o.Service); err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
	}
	ctx := o.Context
	if ctx == nil {
		// The watch then has a life of its own, until it is stopped.
		ctx = context.Background()
	}
	if err := settings.Ended(ctx); err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	w := &Watcher{service: o.Service}
	detach := func() bool { return false }
	w.queue = watch.NewQueue(func() {
		r.mu.Lock()
		delete(r.watchers, w)
		r.mu.Unlock()
		detach()
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, fmt.Errorf("watch: %w", registry.ErrClosed)
	}
	r.watchers[w] = struct{}{}
	// Held back by mu should ctx end at once.
	detach = context.AfterFunc(ctx, w.Stop)
	return w, nil
}

// push queues e if it is about what is watched.
func (w *Watcher) push(e *registry.Result) {
	if w.service == "" || w.service == e.Service.Name {
		w.queue.Push(e)
	}
}

// Next blocks until there is a change or the watcher has been stopped, in which
// case it returns registry.ErrWatcherStopped.
func (w *Watcher) Next() (*registry.Result, error) { return w.queue.Next() }

// Stop ends the watch. It may be called more than once.
func (w *Watcher) Stop() { w.queue.Stop() }
