package folder

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// pollEvery is the time between two looks at the directory.
const pollEvery = 20 * time.Millisecond

type watcher struct {
	folder  *folder
	service string // empty for all
	known   map[string]*registry.Service
	pending []*registry.Result
	stopped chan struct{}
	once    sync.Once
}

func (f *folder) Watch(opts ...registry.WatchOption) (registry.Watcher, error) {
	var o registry.WatchOptions
	for _, opt := range opts {
		opt(&o)
	}
	w := &watcher{folder: f, service: o.Service, stopped: make(chan struct{})}
	if err := w.look(); err != nil {
		return nil, err
	}
	w.pending = nil
	return w, nil
}

func (w *watcher) Stop() { w.once.Do(func() { close(w.stopped) }) }

func (w *watcher) Next() (*registry.Result, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if len(w.pending) > 0 {
			next := w.pending[0]
			w.pending = w.pending[1:]
			return next, nil
		}
		select {
		case <-tick.C:
			if err := w.look(); err != nil {
				return nil, err
			}
		case <-w.stopped:
			return nil, registry.ErrWatcherStopped
		}
	}
}

// look adds what changed since the last look to pending.
func (w *watcher) look() error {
	nodes, err := w.folder.read()
	if err != nil {
		return err
	}
	now := make(map[string]*registry.Service, len(nodes))
	for _, s := range nodes {
		if w.service != "" && s.Name != w.service {
			continue
		}
		key := s.Name + "\x00" + s.Nodes[0].Id
		now[key] = s
		switch was := w.known[key]; {
		case was == nil:
			w.add(registry.Create, s)
		case !same(was, s):
			w.add(registry.Update, s)
		}
	}
	for key, s := range w.known {
		if now[key] == nil {
			w.add(registry.Delete, s)
		}
	}
	w.known = now
	return nil
}

func (w *watcher) add(action registry.EventType, s *registry.Service) {
	w.pending = append(w.pending, &registry.Result{Action: action.String(), Service: s})
}

func same(a, b *registry.Service) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}
