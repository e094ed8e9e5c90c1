package snapshot

import (
	"context"
	"sync"
	"time"

	"github.com/rollcall-go/micro/config/source"
)

// watcher is that of the source. It has one goroutine, until Stop.
type watcher struct {
	source.Watcher
	snapshot *snapshot
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// Watch watches the source. While that is live, the file is written anew once in a while
// and by Stop, so that it is no older than it has to be.
func (s *snapshot) Watch() (source.Watcher, error) {
	of, err := s.Source.Watch()
	if err != nil {
		return nil, err
	}
	// The life of the Watcher, which Stop ends.
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{Watcher: of, snapshot: s, cancel: cancel}
	w.running.Go(func() { w.renew(ctx) })
	return w, nil
}

func (w *watcher) renew(ctx context.Context) {
	tick := time.NewTicker(renewal)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			w.snapshot.renew()
			return
		case <-tick.C:
			w.snapshot.renew()
		}
	}
}

// Next keeps what the source tells.
func (w *watcher) Next() (*source.ChangeSet, error) {
	set, err := w.Watcher.Next()
	if err == nil {
		w.snapshot.keep(set, w.snapshot.ask())
	}
	return set, err
}

// Stop implements source.Watcher.
func (w *watcher) Stop() error {
	w.cancel()
	w.running.Wait() // before the source ends, whose state says whether the file is true
	return w.Watcher.Stop()
}
