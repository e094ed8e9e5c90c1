package config

import (
	"sync"

	"github.com/rollcall-go/micro/config/loader"
	"github.com/rollcall-go/micro/config/reader"
)

// watcher is a Watcher over the Loader's.
type watcher struct {
	loader.Watcher
	read reader.Reader
}

// valued is what the Watcher of this house can do beyond the contract.
type valued interface {
	NextValue() (reader.Value, error)
}

func (c *config) Watch(path ...string) (Watcher, error) {
	w, err := c.watch(c.origin(), path)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (c *config) watch(o origin, path []string) (*watcher, error) {
	w, err := o.Watch(path...)
	if err != nil {
		return nil, err
	}
	return &watcher{w, o.read}, nil
}

func (w *watcher) Next() (reader.Value, error) {
	if v, ok := w.Watcher.(valued); ok {
		return v.NextValue()
	}
	s, err := w.Watcher.Next()
	if err != nil {
		return nil, err
	}
	values, err := w.read.Values(s.ChangeSet)
	if err != nil {
		return nil, err
	}
	return values.Get(), nil
}

// follow takes the snapshots of a Loader that cannot call us, from now on until Close.
func (c *config) follow(o origin) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.stop != nil || c.number != o.number {
		return
	}
	w, err := o.Watch()
	if err != nil {
		return // the next Load or Sync tries again, and says why it cannot
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			s, err := w.Next()
			if err != nil {
				return
			}
			// What cannot be read leaves the values as they are.
			_ = c.store(o, s)
		}
	})
	c.stop = func() {
		_ = w.Stop() // what it says of its end helps nobody
		running.Wait()
	}
}
