package etcd

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/internal/watch"
	"github.com/rollcall-go/micro/registry"
)

// Watch reports every change after it returned, one event a node, in etcd's
// order. After a time without connection it reports the net difference. It
// returns once etcd has answered, or with an error after the timeout, or as soon as
// etcd refuses what has to be mended by somebody; from then on the watch lives until
// it is stopped or its context is done.
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
	patience, cancel := b.bound(o.Context)
	defer cancel()
	w := &watcher{
		tracker: tracker{name: o.Service, skipped: &b.skipped},
		listed:  make(chan struct{}),
		ended:   make(chan struct{}),
		news:    make(chan struct{}, 1),
	}
	ctx, end := b.joined(o.Context)
	w.queue = watch.NewQueue(end)
	if err := b.start(func() {
		defer close(w.ended)
		w.err = b.mirror(ctx, &w.tracker, w)
		w.queue.Stop()
	}); err != nil {
		end()
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if err := w.refused(patience); err != nil {
		w.Stop()
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	select {
	case <-w.listed:
		return w, nil
	case <-w.ended:
		w.Stop()
		return nil, fmt.Errorf("%s: %w", doing, w.reason(settings.Ended(ctx)))
	case <-patience.Done():
		w.Stop()
		return nil, b.current().conn.Explain(doing, w.reason(settings.Ended(patience)))
	}
}

// watcher is the registry.Watcher and the observer of its mirror.
type watcher struct {
	queue   *watch.Queue
	tracker tracker       // used by the mirror alone
	listed  chan struct{} // closed when the first listing has come
	ended   chan struct{} // closed when the mirror has ended
	err     error         // why the mirror ended; read it after ended is closed

	news chan struct{} // holds a token once status is another

	mu     sync.Mutex
	status error // why the mirror is not live
}

var (
	_ registry.Watcher = (*watcher)(nil)
	_ mirror.Observer  = (*watcher)(nil)
)

// Next blocks until there is a change or the watcher has been stopped, in which
// case it returns registry.ErrWatcherStopped.
func (w *watcher) Next() (*registry.Result, error) { return w.queue.Next() }

// Stop ends the watch and waits for what it holds to be released.
func (w *watcher) Stop() {
	w.queue.Stop()
	<-w.ended
}

// Change queues the steps of a change. Those of the first listing came before
// the watch did.
func (w *watcher) Change(c mirror.Change) {
	steps := w.tracker.apply(c)
	select {
	case <-w.listed:
	default:
		close(w.listed)
		return
	}
	for _, s := range steps {
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
	w.queue.Push(&registry.Result{Action: action.String(), Service: r.service()})
}

// Status keeps what to say should the watch not come about.
func (w *watcher) Status(s mirror.Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status = s.Err
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// refused waits until it is not worth waiting for the first listing, because
// somebody has to mend something, and returns why; nil if the listing has come or ctx
// is done before.
func (w *watcher) refused(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var giveUp <-chan time.Time
	for {
		select {
		case <-w.news:
			patience, bounded := refusal.Of(w.reason(nil)).Patience()
			switch {
			case !bounded:
				giveUp = nil
			case giveUp == nil:
				timer.Reset(patience)
				giveUp = timer.C
			}
		case <-giveUp:
			return w.reason(nil)
		case <-w.listed:
			return nil
		case <-w.ended:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// reason returns why there is no watch: what ended the mirror, else what is known
// of the connection beside ended.
func (w *watcher) reason(ended error) error {
	select {
	case <-w.ended:
		if w.err != nil {
			return w.err
		}
	default:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.status == nil:
		return ended
	case ended == nil:
		return w.status
	}
	return fmt.Errorf("%w: %w", ended, w.status)
}

// start runs f beside the caller until the registry is closed; f has to end then.
func (b *backend) start(f func()) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return registry.ErrClosed
	}
	b.running.Go(f)
	return nil
}

// mirror tells o, whose tracker t is, the changes of what t is about until ctx is
// done, over one connection after the other as Init changes them. It returns an error for what can never
// work.
func (b *backend) mirror(ctx context.Context, t *tracker, o mirror.Observer) error {
	for {
		l := b.current()
		if err := l.err(); err != nil {
			return err
		}
		t.reader.Layout = l.layout
		prefix := l.layout.Services()
		if t.name != "" {
			prefix = l.layout.Service(t.name)
		}
		using, cancel := context.WithCancel(ctx)
		detach := context.AfterFunc(l.ctx, cancel)
		err := mirror.Follow(using, l.conn, mirror.Prefix(prefix), o)
		detach()
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case l.ctx.Err() == nil:
			return err
		}
	}
}
