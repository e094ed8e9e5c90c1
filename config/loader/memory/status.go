package memory

import "github.com/rollcall-go/micro/config/source"

// Status returns what is known of each source, in the order in which they were loaded.
// Of a source that is no source.Reporter that is what its last reading gave.
func (m *memory) Status() []source.Status {
	m.mu.Lock()
	followed := append([]*followed(nil), m.followed...)
	all := make([]source.Status, len(followed))
	for i, f := range followed {
		all[i] = source.Status{Source: f.source.String(), Live: f.err == nil && f.set != nil, Err: f.err}
		if f.set != nil {
			all[i].Confirmed = f.set.Timestamp
		}
	}
	m.mu.Unlock()
	for i, f := range followed {
		if r, ok := f.source.(source.Reporter); ok {
			known := all[i]
			if all[i] = r.Status(); all[i].Err == nil {
				all[i].Err = known.Err
			}
		}
	}
	return all
}
