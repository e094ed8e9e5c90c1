package discovery

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/disk"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// saveDelay is how long changes are collected before they are written.
const saveDelay = time.Second

// DiskOf returns where what is known of r's services is kept, as its options say;
// nil for nowhere.
func DiskOf(r registry.Registry) *disk.Store {
	o := r.Options()
	if o.Snapshot == "" {
		return nil
	}
	name := r.String()
	if len(o.Addrs) > 0 {
		name = "at " + strings.Join(slices.Sorted(slices.Values(o.Addrs)), ",")
	}
	return &disk.Store{Dir: o.Snapshot, Registry: name, MaxAge: defaults.SnapshotMaxAge}
}

// saver writes snapshots to disk, one after the other.
type saver struct {
	store *disk.Store
	wake  chan struct{} // holds one token: there is something to write

	mu      sync.Mutex
	unsaved map[*entry]bool
	failing bool // the last attempt failed, which was said
}

func newSaver(s *disk.Store) *saver {
	return &saver{store: s, wake: make(chan struct{}, 1), unsaved: map[*entry]bool{}}
}

// schedule marks the entry as changed: it is written, with others, in a moment.
func (s *saver) schedule(e *entry) {
	s.mu.Lock()
	s.unsaved[e] = true
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *saver) take() map[*entry]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.unsaved
	s.unsaved = map[*entry]bool{}
	return taken
}

// save writes the snapshot, if it says anything that the disk does not. It is not
// called twice at a time.
func (s *saver) save(v *Snapshot) {
	data := disk.Saved{Services: v.Routing, Confirmed: v.Confirmed}
	if v.Origin == Live {
		data.Confirmed = time.Now()
	}
	if v.Name == "" || v.Origin == Disk || !v.Seen || data.Confirmed.IsZero() {
		return
	}
	err := s.store.Save(v.Name, data)
	if err != nil && !s.failing {
		logger.Warnf("Discovery [%s] A start while the registry is away will go by older news: %v", v.Name, err)
	}
	s.failing = err != nil
}

// keepOnDisk writes what changes, and from time to time that it still holds.
func (d *Directory) keepOnDisk() {
	refresh := time.NewTicker(defaults.SnapshotRefresh)
	defer refresh.Stop()
	delay := time.NewTimer(0)
	defer delay.Stop()
	for {
		select {
		case <-d.saver.wake:
			delay.Reset(saveDelay)
			select {
			case <-delay.C:
			case <-d.ctx.Done():
				return // Close writes the rest
			}
			for e := range d.saver.take() {
				d.saver.save(e.snapshot.Load())
			}
		case <-refresh.C:
			for _, e := range *d.entries.Load() {
				if s := e.snapshot.Load(); s.Origin == Live {
					d.saver.save(s)
				}
			}
		case <-d.ctx.Done():
			return
		}
	}
}

// load reads, in the background, what an earlier process left about the entry.
func (d *Directory) load(e *entry) {
	d.spawn(func() {
		saved, err := d.saver.store.Load(e.name, time.Now())
		defer e.step(func(time.Time) { e.view.loaded() })
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			logger.Warnf("Discovery [%s] What was known is not used: %v", e.name, err)
		default:
			e.step(func(now time.Time) {
				if e.view.adopt(saved) {
					logger.Warnf("Discovery [%s] The registry does not answer%s; calls go by what was known %s ago, from %q",
						e.name, because(e.view.status.Err), now.Sub(saved.Confirmed).Round(time.Second), d.saver.store.Path(e.name))
				}
			})
		}
	})
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf(" (%v)", err)
}
