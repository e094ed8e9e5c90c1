package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/disk"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// ErrClosed is the error of lookups in a closed directory.
var ErrClosed = errors.New("discovery is closed")

// Options are the settings of a Directory. The zero value is the default.
type Options struct {
	// Idle is the time after the last use at which a name is dropped. Zero means
	// defaults.SnapshotIdle.
	Idle time.Duration
	// MaxUnknown is how many names are followed of which no node was ever seen. Zero
	// means defaults.MaxUnknownNames.
	MaxUnknown int
	// NoSuspects makes calls believe every departure, whatever the cause.
	NoSuspects bool
	// Events is called with what happens to the services that are followed by name,
	// for each in order. It must return quickly, and must not use the Directory. Nil
	// means nobody is told.
	Events func(Event)
	// Disk keeps what is known beyond the end of the process, and stands in for a
	// registry that does not answer at the start. Nil means not.
	Disk *disk.Store
}

const (
	// resolveRetry is the wait before a Resolver that could not tell is asked again.
	resolveRetry = time.Second
	// resolveAgain is the wait before one that could tell is asked about the same
	// suspect again.
	resolveAgain = 2 * time.Second
)

// Directory follows services and publishes snapshots of them. Its methods are
// safe for concurrent use.
type Directory struct {
	src      feed.Source
	resolver feed.Resolver // nil if src is none
	policy   suspectPolicy
	saver    *saver // nil if nothing is kept on disk
	onEvent  func(Event)

	maxUnknown  int
	sweepEvery  time.Duration
	sweepsUnder uint64 // a name is kept for so many looks at its last use
	sweepsBlank uint64 // and for so many if no node of it was ever seen

	entries atomic.Pointer[map[string]*entry] // replaced, never changed
	sweep   atomic.Uint64                     // counts the looks at the last use
	suspect atomic.Int64                      // names that have suspects

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	wake   chan struct{} // holds one token: deadlines changed

	mu      sync.Mutex // guards what follows and the replacing of entries
	closed  bool
	running bool
	number  uint64         // of names followed so far
	awaited map[string]int // how many wait for the first news of a name

	watching  sync.RWMutex // held for reading while observers run
	observers map[*observer]struct{}
}

type observer struct{ f func(*Snapshot) }

// New returns a directory fed by src. Nothing is started before the first
// lookup. Close it when it is no longer needed; src stays the caller's.
func New(src feed.Source, opts Options) *Directory {
	d := &Directory{
		src:        src,
		maxUnknown: cmp.Or(max(0, opts.MaxUnknown), defaults.MaxUnknownNames),
		awaited:    map[string]int{},
		policy: suspectPolicy{
			off:     opts.NoSuspects,
			window:  defaults.SuspectWindow,
			keep:    defaults.SuspectKeep,
			retry:   resolveRetry,
			recheck: resolveAgain,
		},
		wake:      make(chan struct{}, 1),
		observers: map[*observer]struct{}{},
	}
	idle := or(opts.Idle, defaults.SnapshotIdle)
	d.sweepEvery = max(min(idle/10, defaults.UnknownNameIdle/3), time.Millisecond)
	d.sweepsUnder = uint64(idle / d.sweepEvery)
	d.sweepsBlank = min(d.sweepsUnder, uint64(defaults.UnknownNameIdle/d.sweepEvery))
	d.onEvent = opts.Events
	d.resolver, _ = src.(feed.Resolver)
	if opts.Disk != nil {
		d.saver = newSaver(opts.Disk)
	}
	// Ended by Close.
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.entries.Store(&map[string]*entry{})
	return d
}

// WithTimeout bounds a wait for news by the timeout of the registry that they come
// from. ctx may be nil, where a caller gave none.
func WithTimeout(ctx context.Context, r registry.Registry) (context.Context, context.CancelFunc) {
	if ctx == nil {
		ctx = context.Background()
	}
	return context.WithTimeout(ctx, or(r.Options().Timeout, defaults.RegistryTimeout))
}

func or(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// Lookup returns the present snapshot of the named service, of all services for
// an empty name. It never waits and never returns nil: the first lookup of a
// name begins to follow it and returns a snapshot that is not Known. A name that
// nobody looks up for Options.Idle is dropped, and much sooner if no node of it was
// ever seen.
func (d *Directory) Lookup(name string) *Snapshot {
	if e, ok := (*d.entries.Load())[name]; ok {
		return e.use()
	}
	e, err := d.follow(name)
	if err != nil {
		return &Snapshot{Name: name, Err: err, Fatal: true, cursor: new(atomic.Uint64)}
	}
	return e.use()
}

// Wait returns the snapshot of the named service as soon as the registry has
// answered once, which is at once for a name that is Known. Otherwise it returns
// an error that says what is the matter with the registry: when ctx ends, or
// earlier if it can never answer or Snapshot.GiveUp has come, as it has at once for
// a registry that refuses us. Such an error wraps the cause and, if ctx ended, its
// error.
func (d *Directory) Wait(ctx context.Context, name string) (*Snapshot, error) {
	s := d.Lookup(name)
	if s.Known {
		return s, nil
	}
	giveUp := time.NewTimer(0)
	defer giveUp.Stop()
	defer d.await(name)()
	for !s.Known {
		var refused <-chan time.Time
		if !s.GiveUp.IsZero() {
			giveUp.Reset(time.Until(s.GiveUp))
			refused = giveUp.C
		}
		if s.Fatal {
			return s, fmt.Errorf("look up %q: %w", name, s.Err)
		}
		select {
		case <-s.Changed():
		case <-refused:
			return s, fmt.Errorf("look up %q: %w", name, s.Err)
		case <-ctx.Done():
			return s, waitError(s, ctx.Err())
		}
		s = d.Lookup(name)
	}
	return s, nil
}

func waitError(s *Snapshot, ended error) error {
	if s.Err == nil {
		return fmt.Errorf("look up %q: the registry has not answered yet: %w", s.Name, ended)
	}
	return fmt.Errorf("look up %q: %w: the registry is out of reach since %s: %w",
		s.Name, ended, s.Since.Format(time.RFC3339), s.Err)
}

// Failed reports that the node at address refused a connection or answered as
// somebody else would. A suspect at that address is dropped; other nodes stay
// as the registry has them.
func (d *Directory) Failed(address string) {
	if d.suspect.Load() == 0 {
		return
	}
	for _, e := range *d.entries.Load() {
		if len(e.snapshot.Load().Suspects) > 0 {
			e.step(func(time.Time) { e.view.failed(address) })
		}
	}
}

// Nodes yields all nodes that calls may be routed to. Several may have one address.
func (d *Directory) Nodes(yield func(service string, node *registry.Node) bool) {
	for _, e := range *d.entries.Load() {
		s := e.snapshot.Load()
		for _, nodes := range [][]*registry.Node{s.Nodes, s.Suspects} {
			for _, n := range nodes {
				if !yield(s.Name, n) {
					return
				}
			}
		}
	}
}

// Names returns the names of the services of which nodes are known, in no order.
// It looks only at what is followed already.
func (d *Directory) Names() []string {
	known := map[string]bool{}
	for _, e := range *d.entries.Load() {
		for _, s := range e.snapshot.Load().Services {
			if len(s.Nodes) > 0 {
				known[s.Name] = true
			}
		}
	}
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	return names
}

// Observe calls f with every snapshot published from now on, those of one name
// in order, and with one that is not Known when a name is dropped. f must return
// quickly and may look services up, but must not call stop, Failed or Close.
// After stop returned f is not called any more.
func (d *Directory) Observe(f func(*Snapshot)) (stop func()) {
	o := &observer{f}
	d.watching.Lock()
	d.observers[o] = struct{}{}
	d.watching.Unlock()
	return func() {
		d.watching.Lock()
		delete(d.observers, o)
		d.watching.Unlock()
	}
}

func (d *Directory) observed(s *Snapshot) {
	d.watching.RLock()
	defer d.watching.RUnlock()
	for o := range d.observers {
		o.f(s)
	}
}

// Close stops following and waits until all that was started here has ended.
// Snapshots handed out stay valid.
func (d *Directory) Close() {
	d.mu.Lock()
	d.closed = true
	entries := d.entries.Swap(&map[string]*entry{})
	d.mu.Unlock()
	d.cancel()
	for _, e := range *entries {
		e.drop()
	}
	d.wg.Wait()
	if d.saver != nil {
		for _, e := range *entries {
			d.saver.save(e.snapshot.Load())
		}
	}
}

// follow returns the entry of name, beginning to follow it if nobody did.
func (d *Directory) follow(name string) (*entry, error) {
	e, dropped, err := d.enter(name)
	for _, old := range dropped {
		old.drop()
	}
	return e, err
}

// enter is follow, and returns the entries that had to make room.
func (d *Directory) enter(name string) (e *entry, dropped []*entry, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, nil, ErrClosed
	}
	old := *d.entries.Load()
	if e, ok := old[name]; ok {
		return e, nil, nil
	}
	if !d.running {
		d.running = true
		d.wg.Go(d.runTimers)
		if d.saver != nil {
			d.wg.Go(d.keepOnDisk)
		}
	}
	e = newEntry(d, name)
	d.number++
	e.number = d.number
	entries := maps.Clone(old)
	entries[name] = e
	dropped = d.dropUnknown(entries)
	d.entries.Store(&entries)
	d.wg.Go(e.follow)
	return e, dropped, nil
}
