package memory

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-go/micro/config/loader"
	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/source"
)

// hub tells watchers of changes. Those of one path form a group, so that a value that
// many watch is compared once. The loader's mu guards it.
type hub struct {
	groups map[string]*group
}

type group struct {
	path     []string
	print    []byte // of the value that was last told
	watchers map[*watcher]struct{}
}

func newHub() hub { return hub{groups: make(map[string]*group)} }

// keyOf tells paths apart. No byte of UTF-8 is 0xff.
func keyOf(path []string) string { return strings.Join(path, "\xff") }

func (h *hub) add(m *memory, path []string, now reader.Value, version, format string) *watcher {
	key := keyOf(path)
	g := h.groups[key]
	if g == nil {
		g = &group{path: append([]string(nil), path...), print: fingerprint(now), watchers: make(map[*watcher]struct{})}
		h.groups[key] = g
	}
	w := &watcher{
		loader: m, key: key, format: format, told: g.print, version: version,
		wake: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	g.watchers[w] = struct{}{}
	return w
}

func (h *hub) remove(w *watcher) {
	g := h.groups[w.key]
	if g == nil {
		return
	}
	delete(g.watchers, w)
	if len(g.watchers) == 0 {
		delete(h.groups, w.key)
	}
}

// tell gives each group whose value is another one now the new value.
func (h *hub) tell(values reader.Values, version string) {
	for _, g := range h.groups {
		value := values.Get(g.path...)
		print := fingerprint(value)
		if bytes.Equal(print, g.print) {
			continue
		}
		g.print = print
		for w := range g.watchers {
			w.put(update{value, print, version})
		}
	}
}

// fingerprint returns the bytes of a value and one more, which tells a string from
// what the string says.
func fingerprint(v reader.Value) []byte {
	kind := byte('v')
	if v.String("a") == v.String("b") {
		kind = 's'
	}
	return append(v.Bytes(), kind)
}

// stop ends all watchers.
func (h *hub) stop() {
	for _, g := range h.groups {
		for w := range g.watchers {
			w.end()
		}
	}
	clear(h.groups)
}

type update struct {
	value   reader.Value
	print   []byte
	version string
}

// watcher holds the newest value that Next has yet to return, and no older one.
type watcher struct {
	loader  *memory
	key     string
	format  string
	wake    chan struct{} // holds a token if newest is to be looked at
	stopped chan struct{}
	once    sync.Once

	mu       sync.Mutex
	newest   *update
	told     []byte
	version  string
	behind   bool   // a value was put, and Next has not been called since it was returned
	caughtUp func() // see OnCaughtUp
}

func (w *watcher) put(u update) {
	w.mu.Lock()
	w.newest, w.behind = &u, true
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take returns the newest value if it is another one than was told.
func (w *watcher) take() *update {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.newest
	w.newest = nil
	if u == nil || bytes.Equal(u.print, w.told) {
		return nil
	}
	w.told, w.version = u.print, u.version
	return u
}

func (w *watcher) next() (*update, error) {
	for {
		select {
		case <-w.stopped:
			return nil, source.ErrWatcherStopped
		default:
		}
		if u := w.take(); u != nil {
			return u, nil
		}
		w.rest()
		select {
		case <-w.stopped:
		case <-w.wake:
		}
	}
}

// rest notes that the caller of Next has done with all there was.
func (w *watcher) rest() {
	w.mu.Lock()
	caughtUp := w.caughtUp
	if !w.behind || w.newest != nil {
		caughtUp = nil
	} else {
		w.behind = false
	}
	w.mu.Unlock()
	if caughtUp != nil {
		caughtUp()
	}
}

// Behind reports whether the caller of Next has yet to take a value, or to come back for
// the one after it.
func (w *watcher) Behind() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.behind
}

// OnCaughtUp makes f be called by Next whenever the Watcher is no longer behind. It is
// called before the first Next.
func (w *watcher) OnCaughtUp(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.caughtUp = f
}

// Next returns the newest value as a snapshot.
func (w *watcher) Next() (*loader.Snapshot, error) {
	u, err := w.next()
	if err != nil {
		return nil, err
	}
	set := &source.ChangeSet{Data: u.print[:len(u.print)-1], Format: w.format, Source: "memory", Timestamp: time.Now()}
	set.Checksum = set.Sum()
	return &loader.Snapshot{ChangeSet: set, Version: u.version}, nil
}

// NextValue is Next for who wants the value itself, of which the snapshot does not
// tell a string from what the string says.
func (w *watcher) NextValue() (reader.Value, error) {
	u, err := w.next()
	if err != nil {
		return nil, err
	}
	return u.value, nil
}

// Stop ends the watcher.
func (w *watcher) Stop() error {
	w.loader.mu.Lock()
	w.loader.hub.remove(w)
	w.loader.mu.Unlock()
	w.end()
	return nil
}

func (w *watcher) end() { w.once.Do(func() { close(w.stopped) }) }
