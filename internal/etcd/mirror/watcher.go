package mirror

import (
	"context"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
)

// Watcher watches many single keys over one stream. It is for those who know how
// a key stood at some revision and want to hear what became of it since.
//
// However many keys there are, it has three goroutines: run, which owns the stream
// and asks for watches, receive, which takes what arrives, and now and then one
// for a probe. They start with the first watch and end with the Conn. Where a program
// has a Watcher of its own there is one for each watch instead: see followOwn.
//
// Its methods may be called by several goroutines at once.
type Watcher struct {
	conn *etcd.Conn
	tune tuning
	own  clientv3.Watcher // see followOwn; nil: none

	work chan struct{} // holds a token if run is to look at what follows

	mu      sync.Mutex
	running bool
	lastID  int64
	watches map[int64]*Watch // all that are not over
	waiting []*Watch         // not yet asked for, oldest first
	askAt   time.Time        // when to ask for them
	ended   []*Watch         // stopped, and to be cancelled in etcd
	broken  error            // why the stream is to be replaced, nil if it is not
}

// Watch is one key that is watched. It is over after Stop, or when its observer
// was told that it is lost.
type Watch struct {
	watcher    *Watcher
	key        string
	from       int64
	generation uint64 // of the connection that told what was before from
	o          KeyObserver

	// What follows is guarded by the watcher's mutex.
	id     int64     // that we ask for
	etcdID int64     // that etcd gave
	asked  time.Time // when etcd was asked for it
	ready  bool      // etcd confirmed it
	over   bool
	stop   context.CancelCauseFunc // ends a watch over the program's own Watcher, nil before it runs
}

// KeyObserver hears of one key. For one watch its methods are called one at a time
// and must return quickly. A call may still be under way when Stop returns.
type KeyObserver interface {
	// Changed gives the key's entry as of revision, nil if it is absent then.
	Changed(w *Watch, revision int64, entry *Entry)
	// Lost says that w is over because what happens to its key is no longer known:
	// look at the key, and watch again from there.
	Lost(w *Watch, err error)
}

// gather is how long a watch waits for others before etcd is asked for them
// together. From is in the past anyway.
const gather = 20 * time.Millisecond

// firstID is far from the ids that an etcd chooses which takes none from us, as
// 3.3 and etcd's proxy do.
const firstID = 1 << 32

// NewWatcher returns a Watcher over conn. It starts nothing before the first
// watch, and ends with conn.
func NewWatcher(conn *etcd.Conn) *Watcher {
	return &Watcher{
		conn: conn, tune: tuningFor(conn), own: conn.OwnWatcher(), lastID: firstID,
		work: make(chan struct{}, 1), watches: make(map[int64]*Watch),
	}
}

// Watch tells o what happens to key from revision from on. It returns at once.
// The Conn must still be the one over which the revision before was seen: when
// that changes, the watch is lost.
func (w *Watcher) Watch(key string, from int64, o KeyObserver) *Watch {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastID++
	one := &Watch{watcher: w, key: key, from: from, generation: w.conn.Link().Generation, o: o, id: w.lastID}
	if w.own != nil {
		w.followOwn(one)
		return one
	}
	if !w.running {
		w.running = w.conn.Go(w.run)
	}
	if w.running {
		w.watches[one.id] = one
		if len(w.waiting) == 0 {
			w.askAt = time.Now().Add(gather)
		}
		// run sleeps if there was nothing to ask for, or if every watch that waits has
		// been stopped since.
		if len(w.waiting) == 0 || len(w.watches) == 1 {
			w.wake()
		}
		w.waiting = append(w.waiting, one)
	}
	return one
}

// Stop ends the watch.
func (one *Watch) Stop() {
	w := one.watcher
	w.mu.Lock()
	defer w.mu.Unlock()
	if one.over {
		return
	}
	one.over = true
	delete(w.watches, one.id)
	if one.stop != nil {
		one.stop(nil)
	}
	if one.ready { // else it is ended once it is
		w.ended = append(w.ended, one)
		w.wake()
	}
}

// Replace ends the stream, because what it tells cannot be right, and with it all
// watches.
func (w *Watcher) Replace(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.own != nil {
		for _, one := range w.watches {
			if one.stop != nil {
				one.stop(why)
			}
		}
		return
	}
	w.broken = why
	w.wake()
}

func (w *Watcher) wake() {
	select {
	case w.work <- struct{}{}:
	default:
	}
}

// run keeps a stream open for as long as there are watches.
func (w *Watcher) run(ctx context.Context) {
	ctx, release, err := w.conn.Hold(ctx)
	if err != nil {
		return // there is nothing to watch over it
	}
	defer release()
	failures := 0
	for w.awaitWatch(ctx) {
		begun, link := time.Now(), w.conn.Link()
		err := w.session(ctx)
		if ctx.Err() != nil {
			return
		}
		w.loseAsked(w.conn.Explain("watch keys", err))
		if failures++; time.Since(begun) >= w.tune.steady {
			failures = 0
		}
		w.conn.Rest(ctx, w.tune.again.Next(failures), link)
	}
}

// awaitWatch waits until a watch is wanted. It reports false when ctx is done.
func (w *Watcher) awaitWatch(ctx context.Context) bool {
	for {
		w.mu.Lock()
		some := len(w.watches) > 0
		w.mu.Unlock()
		if some {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-w.work:
		}
	}
}

// loseAsked tells all watches that the stream carried that they are lost.
func (w *Watcher) loseAsked(err error) {
	var lost []*Watch
	w.mu.Lock()
	w.ended, w.broken = nil, nil
	for id, one := range w.watches {
		if !one.asked.IsZero() {
			one.over = true
			lost = append(lost, one)
			delete(w.watches, id)
		}
	}
	w.mu.Unlock()
	for _, one := range lost {
		one.o.Lost(one, err)
	}
}
