package discovery

import (
	"maps"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
)

// runTimers fires the deadlines of every view, and drops the names that nobody
// uses. It is the one goroutine of the directory itself.
func (d *Directory) runTimers() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	sweepAt := time.Now().Add(d.sweepEvery)
	for {
		select {
		case <-timer.C:
		case <-d.wake:
		case <-d.ctx.Done():
			return
		}
		now := time.Now()
		if !now.Before(sweepAt) {
			d.dropIdle()
			sweepAt = now.Add(d.sweepEvery)
		}
		next := sweepAt
		for _, e := range *d.entries.Load() {
			if at := e.due(now); !at.IsZero() && at.Before(next) {
				next = at
			}
		}
		timer.Reset(max(0, next.Sub(now)))
	}
}

// due fires the view's deadline if it has come, and returns the next one, zero for
// none.
func (e *entry) due(now time.Time) time.Time {
	e.mu.Lock()
	next := e.next
	e.mu.Unlock()
	if next.IsZero() || now.Before(next) {
		return next
	}
	e.step(func(time.Time) {})
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.next
}

// reschedule makes runTimers look at the deadlines anew.
func (d *Directory) reschedule() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// dropIdle drops the names that were not looked up during the last sweeps, and
// those of which no node was ever seen beyond their limit.
func (d *Directory) dropIdle() {
	now := d.sweep.Add(1)
	var idle []*entry
	d.mu.Lock()
	if d.closed { // Close drops them all
		d.mu.Unlock()
		return
	}
	entries := maps.Clone(*d.entries.Load())
	for name, e := range entries {
		kept := d.sweepsUnder
		if e.unknown() {
			kept = d.sweepsBlank
		}
		if now-e.used.Load() > kept && d.awaited[name] == 0 {
			idle = append(idle, e)
			delete(entries, name)
		}
	}
	idle = append(idle, d.dropUnknown(entries)...)
	if len(idle) > 0 {
		d.entries.Store(&entries)
	}
	d.mu.Unlock()
	for _, e := range idle {
		e.drop()
	}
}

// ask asks the Resolver, in the background, why nodes left. Without one the nodes
// stay suspects: nobody can tell.
func (d *Directory) ask(e *entry, about []feed.Departure) {
	if d.resolver == nil {
		return
	}
	d.spawn(func() {
		causes, err := d.resolver.Resolve(e.ctx, about)
		e.step(func(now time.Time) { e.view.resolve(now, about, causes, err) })
	})
}

// spawn runs f in the background, unless the directory was closed.
func (d *Directory) spawn(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.wg.Go(f)
	}
}
