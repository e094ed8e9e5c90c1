package multi

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/internal/watch"
	"github.com/rollcall-go/micro/registry"
)

// Watch reports what changes in the merged view: a node that is in several members
// appears once, when it comes into the first, and goes once, when it leaves the last. A
// member that is away when Watch is called, or does not answer shortly after another
// one, reports later what it has, as changes.
func (m *multi) Watch(opts ...registry.WatchOption) (registry.Watcher, error) {
	var o registry.WatchOptions
	for _, opt := range opts {
		opt(&o)
	}
	if o.Service != "" {
		if err := record.CheckName(o.Service); err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
	}
	if err := m.usable(); err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	parent := o.Context
	if parent == nil {
		parent = m.ctx
	}
	if parent.Err() != nil {
		return nil, fmt.Errorf("watch: %w", settings.Ended(parent))
	}
	ctx, cancel := context.WithCancel(parent)
	detach := context.AfterFunc(m.ctx, cancel)
	w := &watcher{m: m, name: o.Service, merge: newMerge(len(m.members)), first: make(chan error, len(m.members))}
	// The members tell the same change one after the other: what one says late is not
	// the news that it was.
	w.merge.past, w.merge.doubts = make(map[record.ID][]*registry.Service), make(map[record.ID]bool)
	w.Queue = watch.NewQueue(func() { cancel(); detach() })
	context.AfterFunc(ctx, w.Stop)

	m.mu.Lock()
	for i := range m.members {
		if !m.begin(func() { w.follow(ctx, i) }) {
			m.mu.Unlock()
			w.Stop()
			return nil, fmt.Errorf("watch: %w", registry.ErrClosed)
		}
	}
	m.mu.Unlock()
	if err := w.awaitFirst(ctx); err != nil {
		w.Stop()
		return nil, fmt.Errorf("watch: %w", err)
	}
	return w, nil
}

// watcher follows each member in a goroutine of the registry.
type watcher struct {
	*watch.Queue
	m    *multi
	name string
	// first gets what became of the first reading of each member.
	first chan error

	mu    sync.Mutex
	merge *merge
	begun bool // Watch has returned: what comes is reported
	// believing is when members are believed that seem to be behind; nil if none is.
	believing *time.Timer
}

// catchUp is how long a member that is behind is given to say what the one has said that
// the node has left.
const catchUp = 2 * time.Second

// awaitFirst waits until all members have said what they have, or a grace after the
// first, and returns an error if none of them can.
func (w *watcher) awaitFirst(ctx context.Context) error {
	limit, stop := context.WithTimeout(ctx, w.m.timeout())
	defer stop()
	over, good := limit.Done(), 0
	failed := failures{}
	for range w.m.members {
		select {
		case err := <-w.first:
			if err != nil {
				failed = append(failed, err)
			} else if good++; good == 1 {
				waiting, stop := context.WithTimeout(limit, grace)
				defer stop()
				over = waiting.Done()
			}
			continue
		case <-over:
		}
		break
	}
	w.mu.Lock()
	w.begun = good > 0
	w.mu.Unlock()
	switch {
	case good > 0:
		return nil
	case ctx.Err() != nil && w.m.ctx.Err() == nil:
		return settings.Ended(ctx)
	case w.m.ctx.Err() != nil:
		return registry.ErrClosed
	}
	return failed.or(fmt.Errorf("no registry has answered: %w", settings.Ended(limit)))
}

// follow keeps up with member i until ctx is done.
func (w *watcher) follow(ctx context.Context, i int) {
	first := true
	report := func(err error) {
		if first {
			first = false
			if err != nil {
				err = fmt.Errorf("%s: %w", w.m.members[i].label, err)
			}
			w.first <- err
		}
	}
	for attempt := 0; ; attempt++ {
		err := w.session(ctx, i, func() { attempt = 0; report(nil) })
		report(err)
		w.change(func() []record.ID { return w.merge.setAway(i, true) })
		wait := time.NewTimer(retry.Next(attempt))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
	}
}

// session opens a watch of the member, takes over what is there, calls read, and
// follows the watch until it breaks.
func (w *watcher) session(ctx context.Context, i int, read func()) error {
	r := w.m.members[i].Registry
	opts := []registry.WatchOption{registry.WatchContext(ctx)}
	if w.name != "" {
		opts = append(opts, registry.WatchService(w.name))
	}
	theirs, err := r.Watch(opts...)
	if err != nil {
		return err
	}
	defer theirs.Stop()
	defer context.AfterFunc(ctx, theirs.Stop)()
	services, err := feed.Read(ctx, r, w.name)
	if err != nil {
		return err
	}
	w.change(func() []record.ID {
		return append(w.merge.setAway(i, false), w.merge.read(i, services)...)
	})
	read()
	for {
		result, err := theirs.Next()
		if err != nil {
			return err
		}
		w.change(func() []record.ID { return feed.Apply(&w.merge.known[i].view, w.name, result) })
	}
}

// change lets step change what is known, and reports what comes of it.
func (w *watcher) change(step func() []record.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.believeLater()
	for _, id := range unique(step()) {
		was, now := w.merge.settle(id)
		if !w.begun || was == now {
			continue
		}
		switch {
		case now == nil:
			w.Push(&registry.Result{Action: registry.Delete.String(), Service: was})
		case was == nil:
			w.Push(&registry.Result{Action: registry.Create.String(), Service: now})
		default:
			w.Push(&registry.Result{Action: registry.Update.String(), Service: now})
		}
	}
}

// believeLater has the members believed in a while that seem to be behind: what they say
// then is no longer late. The caller holds mu.
func (w *watcher) believeLater() {
	if len(w.merge.doubts) == 0 || w.believing != nil {
		return
	}
	// After Stop it finds nobody to tell.
	w.believing = time.AfterFunc(catchUp, func() {
		w.change(func() []record.ID {
			w.believing = nil
			return w.merge.believe()
		})
	})
}
