package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/rollcall-go/micro/config/source"
)

const (
	// settle is how long nothing may happen beside a file before it is read: who writes
	// it may need several steps.
	settle = 100 * time.Millisecond
	// patience is the longest time for which it is not read because something happens
	// all the time.
	patience = time.Second
	// look is how often the file is looked at though nothing was heard of it, as on file
	// systems of other hosts.
	look = 5 * time.Second
)

// watcher has one goroutine, until Stop, beside that of the notifier.
type watcher struct {
	file    *file
	cancel  context.CancelFunc
	running sync.WaitGroup
	wake    chan struct{} // holds a token if newest is to be returned

	mu     sync.Mutex
	newest *source.ChangeSet
	done   <-chan struct{}
}

// Watch returns a Watcher that tells each content that the file has from now on, once
// it has settled. An empty file is one that is being written, and a file that is not
// there is one that is being replaced: of neither anything is told.
func (f *file) Watch() (source.Watcher, error) {
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return source.NewNoopWatcher() // a pipe, whose text comes once, is left to Read
	}
	// The lifetime of the Watcher, which Stop ends.
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{file: f, cancel: cancel, wake: make(chan struct{}, 1), done: ctx.Done()}
	// Without notifications, of which a system has only so many, looking has to do.
	notifier, err := fsnotify.NewWatcher()
	if err != nil {
		notifier = nil
	}
	before, _ := f.Read() // a file that cannot be read yet is news once it can
	w.running.Go(func() {
		w.run(ctx, notifier, before)
		if notifier != nil {
			_ = notifier.Close() // nothing is left to be done about it
		}
	})
	return w, nil
}

func (w *watcher) run(ctx context.Context, notifier *fsnotify.Watcher, told *source.ChangeSet) {
	var events <-chan fsnotify.Event
	var errs <-chan error
	if notifier != nil {
		events, errs = notifier.Events, notifier.Errors
	}
	places := &places{notifier: notifier}
	places.follow(w.file.path)
	seen := w.stamp()
	looking := time.NewTicker(look)
	defer looking.Stop()
	settled := time.NewTimer(settle) // what happened before the directories were watched is news too
	var since time.Time              // when the first of what is not settled happened, zero: nothing
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			if since.IsZero() {
				since = time.Now()
			}
			settled.Reset(max(0, min(settle, patience-time.Since(since))))
		case _, ok := <-errs:
			if !ok {
				errs = nil
			}
			settled.Reset(settle) // events were lost
		case <-looking.C:
			if !w.stamp().is(seen) {
				settled.Reset(settle)
			}
		case <-settled.C:
			since = time.Time{}
			places.follow(w.file.path)
			seen = w.stamp()
			told = w.tell(told)
		}
	}
}

// stamp is what a look at the file shows of it, without Info that it is not there.
type stamp struct{ os.FileInfo }

func (w *watcher) stamp() stamp {
	info, err := os.Stat(w.file.path)
	if err != nil {
		return stamp{}
	}
	return stamp{info}
}

// is reports whether two looks showed the same. What a link led to may have another
// file of the same size and time in its place.
func (s stamp) is(other stamp) bool {
	if s.FileInfo == nil || other.FileInfo == nil {
		return s.FileInfo == nil && other.FileInfo == nil
	}
	return os.SameFile(s.FileInfo, other.FileInfo) && s.Size() == other.Size() && s.ModTime().Equal(other.ModTime())
}

// tell hands over what the file holds if it is something else than was told, and
// returns what was told last.
func (w *watcher) tell(told *source.ChangeSet) *source.ChangeSet {
	set, err := w.file.Read()
	if err != nil || len(set.Data) == 0 || told != nil && told.Checksum == set.Checksum {
		return told
	}
	w.mu.Lock()
	w.newest = set
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return set
}

func (w *watcher) Next() (*source.ChangeSet, error) {
	select {
	case <-w.done:
		return nil, source.ErrWatcherStopped
	case <-w.wake:
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.newest, nil
	}
}

func (w *watcher) Stop() error {
	w.cancel()
	w.running.Wait()
	return nil
}

// places are the directories that are watched.
type places struct {
	notifier *fsnotify.Watcher
	watched  map[string]bool
}

// follow watches the directory of path, and those of the files that it is a link to.
func (p *places) follow(path string) {
	if p.notifier == nil {
		return
	}
	wanted := map[string]bool{}
	const links = 40 // as many as systems follow
	for range links {
		wanted[filepath.Dir(path)] = true
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	for dir := range p.watched {
		if !wanted[dir] {
			_ = p.notifier.Remove(dir) // it may be gone, and the watch with it
		}
	}
	for dir := range wanted {
		// Adding once more what is watched heals a directory that was made anew. One
		// that is not there is looked for again with the next event or look.
		if err := p.notifier.Add(dir); errors.Is(err, fsnotify.ErrClosed) {
			return
		}
	}
	p.watched = wanted
}
