package memory

import (
	"slices"

	"github.com/rollcall-go/micro/config/source"
)

// Status returns what is known of each source, in the order in which they were loaded.
// Of a source that is no source.Reporter that is what its last reading gave. What the
// Reader refused stands with the source that it came from, or with the last one.
func (m *memory) Status() []source.Status {
	m.mu.Lock()
	sources := append([]*followed(nil), m.followed...)
	all := make([]source.Status, len(sources))
	for i, f := range sources {
		all[i] = source.Status{Source: f.source.String(), Live: f.err == nil && f.set != nil, Err: f.err}
		if f.set != nil {
			all[i].Confirmed = f.set.Timestamp
		}
	}
	refused := m.refused
	m.mu.Unlock()
	for i, f := range sources {
		if r, ok := f.source.(source.Reporter); ok {
			known := all[i]
			if all[i] = r.Status(); all[i].Err == nil {
				all[i].Err = known.Err
			}
		}
	}
	for i, one := range refused.now {
		at := slices.IndexFunc(sources, func(f *followed) bool { return refused.by[i] != nil && same(f.source, refused.by[i]) })
		if at < 0 {
			at = len(all) - 1 // there is one: what is refused came from somewhere
		}
		all[at].Refused = append(all[at].Refused, one)
	}
	return all
}
