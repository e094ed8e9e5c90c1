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

// schedule sets the timer to the record that expires next. The caller holds mu.
func (r *Registry) schedule() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	var first time.Time
	for _, at := range r.expires {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	if !first.IsZero() {
		r.timer = time.AfterFunc(time.Until(first), r.expire)
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
	r.schedule()
}
