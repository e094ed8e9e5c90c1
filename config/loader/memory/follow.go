package memory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/logger"
)

// again says when a source whose Watcher is over is watched anew.
var again = backoff.Backoff{Base: 200 * time.Millisecond, Max: 5 * time.Second}

// followed is a source that is loaded. The loader's mu guards its fields.
type followed struct {
	loader *memory
	source source.Source

	set    *source.ChangeSet // the last one that could be decoded, nil: none yet
	err    error             // why the newest is not that one
	asked  uint64            // how many readings were begun
	taken  uint64            // the number of the newest reading that was taken
	heard  uint64            // how many sets the Watcher told
	reason string            // what the log was told last
}

// start watches and reads the source from now on. What it returns gives the outcome
// of the first reading. The loader's mu is held.
func (f *followed) start() <-chan error {
	first := make(chan error, 1)
	f.loader.running.Go(func() {
		for attempt := 0; ; attempt++ {
			begun := time.Now()
			f.session(first)
			if time.Since(begun) > again.Max {
				attempt = 0
			}
			timer := time.NewTimer(again.Next(attempt) + again.Base)
			select {
			case <-f.loader.ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
		}
	})
	return first
}

// session watches the source until its Watcher is over. It watches before it reads,
// so that no change falls between the two.
func (f *followed) session(first chan<- error) {
	watcher, err := f.source.Watch()
	if err != nil {
		f.told(first, f.refuse(fmt.Errorf("watch: %w", err)))
		return
	}
	ctx, cancel := context.WithCancel(f.loader.ctx)
	stopped := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(stopped)
		_ = watcher.Stop() // what it says of its end helps nobody
	})
	defer func() {
		cancel()
		<-stopped
	}()
	f.told(first, f.read())
	for {
		set, err := watcher.Next()
		switch {
		case f.loader.ctx.Err() != nil:
			return
		case errors.Is(err, source.ErrWatcherStopped):
			return
		case err != nil:
			_ = f.refuse(err)
			return
		}
		f.loader.mu.Lock()
		f.heard++
		_ = f.take(set)
		f.loader.mu.Unlock()
	}
}

// told gives the outcome to whoever waits for the first one.
func (f *followed) told(first chan<- error, err error) {
	select {
	case first <- err:
	default:
	}
}

// reread reads the source once more. The loader's mu is held.
func (f *followed) reread() <-chan error {
	done := make(chan error, 1)
	f.loader.running.Go(func() { done <- f.read() })
	return done
}

// read takes what the source holds now, unless something newer was taken meanwhile.
func (f *followed) read() error {
	m := f.loader
	m.mu.Lock()
	f.asked++
	number, heard := f.asked, f.heard
	m.mu.Unlock()
	set, err := f.source.Read()
	if err != nil {
		return f.refuse(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if number < f.taken || heard != f.heard && f.set != nil && set != nil && set.Timestamp.Before(f.set.Timestamp) {
		return nil
	}
	f.taken = number
	return f.take(set)
}

// take makes set what the source holds, if it can be decoded. m.mu is held.
func (f *followed) take(set *source.ChangeSet) error {
	m := f.loader
	if m.ctx.Err() != nil {
		return ErrClosed
	}
	if set == nil {
		return f.note(errors.New("the source gave nothing"))
	}
	before := f.set
	f.set = set
	if err := m.merge(); err != nil { // with the sets before it could be merged
		f.set = before
		return f.note(err)
	}
	return f.note(nil)
}

// refuse notes why the source could not be read.
func (f *followed) refuse(err error) error {
	f.loader.mu.Lock()
	defer f.loader.mu.Unlock()
	return f.note(err)
}

// note remembers err, and logs it if it is another one than before. m.mu is held.
func (f *followed) note(err error) error {
	f.err = err
	if f.loader.ctx.Err() != nil {
		return err
	}
	said := ""
	if err != nil {
		said = err.Error()
	}
	if said == f.reason {
		return err
	}
	f.reason = said
	f.loader.confirm()
	switch {
	case err == nil:
		logger.Infof("Config [%s] The source can be read again", f.source)
	case f.set == nil:
		logger.Warnf("Config [%s] The source has no configuration yet: %v", f.source, err)
	default:
		logger.Warnf("Config [%s] The source keeps what it held: %v", f.source, err)
	}
	return err
}
