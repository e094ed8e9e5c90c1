package memory

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/record"
)

// remembered is how long followers can learn that a record expired.
const remembered = time.Minute

// wakeAt makes the timer go off at the given time, if not before. When it does,
// there may be nothing to do: the record was renewed or deregistered meanwhile.
// The caller holds mu.
func (r *Registry) wakeAt(at time.Time) {
	if r.timer != nil && !at.Before(r.wake) {
		return
	}
	r.stopTimer()
	r.wake = at
	r.timer = time.AfterFunc(time.Until(at), r.expire)
}

// stopTimer is called with mu held.
func (r *Registry) stopTimer() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
}

// expire removes every record whose time is over, in the order of their times.
func (r *Registry) expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	over := slices.Collect(maps.Keys(r.expires))
	over = slices.DeleteFunc(over, func(id record.ID) bool { return r.expires[id].After(now) })
	slices.SortFunc(over, func(a, b record.ID) int {
		return cmp.Or(r.expires[a].Compare(r.expires[b]), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Node, b.Node))
	})
	maps.DeleteFunc(r.expired, func(_ record.ID, at time.Time) bool { return now.Sub(at) > remembered })
	for _, id := range over {
		r.expired[id] = now
		r.remove(id)
	}
	r.stopTimer()
	var first time.Time
	for _, at := range r.expires {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	if !first.IsZero() {
		r.wakeAt(first)
	}
}
