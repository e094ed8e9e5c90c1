package discovery

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
)

// followRetry is the wait before a source that gave up is asked again.
const followRetry = time.Second

// entry is one followed name: the state machine, and the snapshot that it last
// published.
type entry struct {
	dir    *Directory
	name   string
	number uint64 // in the order in which names were followed
	ctx    context.Context
	cancel context.CancelFunc

	snapshot atomic.Pointer[Snapshot]
	used     atomic.Uint64 // Directory.sweep at the last use

	mu        sync.Mutex // guards what follows and the order of publishing
	view      view
	waiting   waiting // that the view is to take over when it is time to publish
	published time.Time
	next      time.Time // when the view is to be told the time, zero for never
	gone      bool      // dropped: nothing is published any more
}

var _ feed.LateSink = (*entry)(nil)

func newEntry(d *Directory, name string) *entry {
	e := &entry{dir: d, name: name, view: view{policy: d.policy}}
	if name == "" { // nothing is routed by the view of all services
		e.view.policy.off = true
	} else if d.saver != nil {
		e.view.diskAfter = time.Now().Add(diskPatience)
	}
	e.ctx, e.cancel = context.WithCancel(d.ctx)
	cursor := new(atomic.Uint64)
	cursor.Store(rand.Uint64N(1 << 32))
	e.snapshot.Store(&Snapshot{Name: name, cursor: cursor, changed: make(chan struct{})})
	e.used.Store(d.sweep.Load())
	return e
}

// use notes that the name is in use and returns its snapshot.
func (e *entry) use() *Snapshot {
	if now := e.dir.sweep.Load(); e.used.Load() != now {
		e.used.Store(now)
	}
	return e.snapshot.Load()
}

// errEnded stands for a source that stopped without being told to.
var errEnded = errors.New("the registry stopped supplying its services")

// follow runs until the entry is dropped. A source that gives up is asked again
// after a wait, because its configuration may be put right.
func (e *entry) follow() {
	e.step(func(time.Time) {}) // sets the first deadline
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-retry.C:
		case <-e.ctx.Done():
			return
		}
		err := e.dir.src.Follow(e.ctx, e.name, e)
		if e.ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errEnded
		}
		e.step(func(now time.Time) { e.view.fail(now, err) })
		retry.Reset(followRetry)
	}
}

// Update implements feed.Sink.
func (e *entry) Update(u feed.Update) {
	e.step(func(time.Time) { e.waiting.add(u) })
}

// UpdateLate implements feed.LateSink.
func (e *entry) UpdateLate(u feed.LateUpdate) {
	e.step(func(time.Time) { e.waiting.addLate(u) })
}

// Status implements feed.Sink.
func (e *entry) Status(s feed.Status) {
	e.step(func(now time.Time) {
		e.takeOver(now)
		e.view.setStatus(now, s)
	})
}

// takeOver hands the update that waits to the view.
func (e *entry) takeOver(now time.Time) {
	if u, ok := e.waiting.take(); ok {
		e.view.update(now, u)
	}
}

// publishInterval is the least time between two snapshots of so many nodes. It is
// there for services of thousands of nodes, which change all the time: the view
// and whoever uses a snapshot look at each node once. Up to 100 nodes there is none, and
// it is never longer than 100 ms.
func publishInterval(nodes int) time.Duration {
	return min(time.Duration(max(0, nodes-100))*10*time.Microsecond, 100*time.Millisecond)
}

// step takes the state machine one step further, publishes what came of it and
// asks the Resolver what it wants to know.
func (e *entry) step(f func(now time.Time)) {
	e.mu.Lock()
	if e.gone {
		e.mu.Unlock()
		return
	}
	now := time.Now()
	f(now)
	publishAt := e.published.Add(publishInterval(count(e.view.services)))
	if !now.Before(publishAt) {
		e.takeOver(now)
	}
	ask, next := e.view.tick(now)
	load := e.view.wantsDisk(now)
	if at := e.view.diskAfter; !at.IsZero() && (next.IsZero() || at.Before(next)) {
		next = at
	}
	switch {
	case now.Before(publishAt):
		if (e.view.dirty || e.waiting.any) && (next.IsZero() || publishAt.Before(next)) {
			next = publishAt
		}
	case e.view.dirty:
		e.view.dirty, e.published = false, now
		s := &Snapshot{}
		e.view.fill(s)
		e.publish(s)
	}
	sooner := !next.IsZero() && (e.next.IsZero() || next.Before(e.next))
	e.next = next
	e.tell(now)
	e.mu.Unlock()

	if load {
		e.dir.load(e)
	}
	if len(ask) > 0 {
		e.dir.ask(e, ask)
	}
	if sooner { // else the directory looks here early enough
		e.dir.reschedule()
	}
}

// publish replaces the snapshot. The caller holds mu.
func (e *entry) publish(s *Snapshot) {
	old := e.snapshot.Load()
	s.Name, s.cursor, s.changed = e.name, old.cursor, make(chan struct{})
	switch had, has := len(old.Suspects) > 0, len(s.Suspects) > 0; {
	case has && !had:
		e.dir.suspect.Add(1)
	case had && !has:
		e.dir.suspect.Add(-1)
	}
	e.snapshot.Store(s)
	close(old.changed)
	e.dir.observed(s)
	if e.dir.saver != nil {
		e.dir.saver.schedule(e)
	}
}

// drop ends the following. Observers are told that nothing is known any more;
// whoever waits for a change is sent to look the name up again.
func (e *entry) drop() {
	e.cancel()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gone, e.next = true, time.Time{}
	last := e.snapshot.Load()
	if len(last.Suspects) > 0 {
		e.dir.suspect.Add(-1)
	}
	close(last.changed)
	e.dir.observed(&Snapshot{Name: e.name, cursor: new(atomic.Uint64)})
}
