package consul

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/internal/watch"
	"github.com/rollcall-go/micro/registry"
)

// Watch reports every change after it returned, one event a node. What changes twice
// before Consul answers is one change, and after a time without an answer the net
// difference is reported. It returns once Consul has answered, or with an error after
// the timeout, or as soon as it refuses what has to be mended by somebody; from then on
// the watch lives until it is stopped or its context is done.
func (b *backend) Watch(opts ...registry.WatchOption) (registry.Watcher, error) {
	var o registry.WatchOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := checkFollowed(o.Service); err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	doing := "watch all services"
	if o.Service != "" {
		doing = fmt.Sprintf("watch %q", o.Service)
	}
	patience, cancel := b.bound(o.Context)
	defer cancel()
	w := &watcher{listed: make(chan struct{}), ended: make(chan struct{}), news: make(chan struct{}, 1)}
	ctx, end := b.joined(o.Context)
	w.queue = watch.NewQueue(end)
	if err := b.start(func() {
		defer close(w.ended)
		w.err = b.follow(ctx, o.Service, w)
		w.queue.Stop()
	}); err != nil {
		end()
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if err := w.await(patience); err != nil {
		w.Stop()
		switch {
		case b.ctx.Err() != nil:
			err = registry.ErrClosed
		case patience.Err() != nil && w.why() == nil: // nothing was heard at all
			err = fmt.Errorf("ask Consul at %q: %w", b.current().client.Addr(), err)
		}
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return w, nil
}

// watcher is the registry.Watcher and the observer of its follower.
type watcher struct {
	queue  *watch.Queue
	listed chan struct{} // closed when the first listing has come
	ended  chan struct{} // closed when the following has ended
	err    error         // why it ended; read it after ended is closed
	news   chan struct{} // holds a token once reason is another

	mu     sync.Mutex
	reason error // why there is no answer
}

// Next blocks until there is a change or the watcher has been stopped, in which case
// it returns registry.ErrWatcherStopped.
func (w *watcher) Next() (*registry.Result, error) { return w.queue.Next() }

// Stop ends the watch and waits for what it holds to be released.
func (w *watcher) Stop() {
	w.queue.Stop()
	<-w.ended
}

// change queues the steps of a change. Those of the first listing came before the
// watch did.
func (w *watcher) change(c change) {
	if c.first {
		close(w.listed)
		return
	}
	for _, s := range c.steps {
		switch {
		case s.was == nil:
			w.push(registry.Create, s.is)
		case s.is == nil:
			w.push(registry.Delete, s.was)
		default:
			w.push(registry.Update, s.is)
		}
	}
}

func (w *watcher) push(action registry.EventType, r *row) {
	w.queue.Push(&registry.Result{Action: action.String(), Service: r.service})
}

// status keeps what to say should the watch not come about.
func (w *watcher) status(s feed.Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reason = s.Err
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// await waits for the first listing, for as long as that is worth it, and returns why
// there is none.
func (w *watcher) await(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	waiting := false // for what somebody has to mend
	for {
		select {
		case <-w.listed:
			return nil
		case <-w.ended:
			if w.err != nil {
				return w.err
			}
			return consul.Over(ctx)
		case <-w.news:
			patience, bounded := refusal.Of(w.why()).Patience()
			if bounded && !waiting {
				timer.Reset(patience)
			}
			if waiting = bounded; !bounded {
				timer.Reset(time.Hour)
			}
		case <-timer.C:
			return w.why()
		case <-ctx.Done():
			if why := w.why(); why != nil {
				return fmt.Errorf("%w: %w", consul.Over(ctx), why)
			}
			return consul.Over(ctx)
		}
	}
}

func (w *watcher) why() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reason
}
