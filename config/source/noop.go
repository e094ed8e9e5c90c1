package source

import "sync"

// noopWatcher is the Watcher of a source that never changes.
type noopWatcher struct {
	stopped chan struct{}
	once    sync.Once
}

// NewNoopWatcher returns a Watcher for a source that never changes: Next blocks until
// Stop.
func NewNoopWatcher() (Watcher, error) {
	return &noopWatcher{stopped: make(chan struct{})}, nil
}

func (w *noopWatcher) Next() (*ChangeSet, error) {
	<-w.stopped
	return nil, ErrWatcherStopped
}

func (w *noopWatcher) Stop() error {
	w.once.Do(func() { close(w.stopped) })
	return nil
}
