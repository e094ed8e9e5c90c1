// Package memory is a source that the program itself fills.
package memory

import (
	"sync"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/settings"
)

// memory holds one ChangeSet. Beyond source.Source it has Update.
type memory struct {
	mu       sync.Mutex
	set      *source.ChangeSet
	watchers map[*watcher]struct{}
}

// NewSource returns a source that holds what the options give, without one an empty
// configuration. The value has a method Update(*source.ChangeSet), which does as
// Write.
func NewSource(opts ...source.Option) source.Source {
	options := source.NewOptions(opts...)
	s := &memory{set: &source.ChangeSet{Source: "memory", Format: "json"}, watchers: make(map[*watcher]struct{})}
	if given, ok := settings.Of[*source.ChangeSet](options.Context); ok {
		s.Update(given)
	}
	return s
}

// WithChangeSet gives the source its first content.
func WithChangeSet(set *source.ChangeSet) source.Option {
	return func(o *source.Options) { o.Context = settings.With(o.Context, set) }
}

// WithJSON gives the source its first content as JSON.
func WithJSON(data []byte) source.Option {
	return WithChangeSet(&source.ChangeSet{Data: data, Format: "json"})
}

// WithYAML gives the source its first content as YAML.
func WithYAML(data []byte) source.Option {
	return WithChangeSet(&source.ChangeSet{Data: data, Format: "yaml"})
}

func (s *memory) String() string { return "memory" }

func (s *memory) Read() (*source.ChangeSet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := *s.set
	return &set, nil
}

// Write replaces what the source holds. nil changes nothing.
func (s *memory) Write(set *source.ChangeSet) error {
	s.Update(set)
	return nil
}

// Update replaces what the source holds. nil changes nothing.
func (s *memory) Update(set *source.ChangeSet) {
	if set == nil {
		return
	}
	next := &source.ChangeSet{Data: set.Data, Format: set.Format, Source: "memory", Timestamp: time.Now()}
	next.Checksum = next.Sum()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set = next
	for w := range s.watchers {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func (s *memory) Watch() (source.Watcher, error) {
	w := &watcher{source: s, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[w] = struct{}{}
	return w, nil
}

// watcher has no more than the news that there is something newer.
type watcher struct {
	source  *memory
	wake    chan struct{}
	stopped chan struct{}
	once    sync.Once
}

func (w *watcher) Next() (*source.ChangeSet, error) {
	select {
	case <-w.stopped:
		return nil, source.ErrWatcherStopped
	case <-w.wake:
		return w.source.Read()
	}
}

func (w *watcher) Stop() error {
	w.source.mu.Lock()
	delete(w.source.watchers, w)
	w.source.mu.Unlock()
	w.once.Do(func() { close(w.stopped) })
	return nil
}
