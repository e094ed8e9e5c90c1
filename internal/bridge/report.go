package bridge

import (
	"fmt"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// report tells what has become of the nodes, as far as the registry that is written
// shows it.
func (m *machine) report(now time.Time) {
	waiting := false
	for id, want := range m.from.records {
		there, was := m.to.records[id], m.shown[id]
		switch {
		case there == nil:
			waiting = true
			if was.aside {
				delete(m.shown, id)
			}
		case there.Nodes[0].Metadata[Mark] != want.Nodes[0].Metadata[Mark]:
			if !was.aside {
				m.shown[id] = shown{want, true}
				m.events = append(m.events, about(now, Aside, want, whose(there)))
			}
		case !alike(there, want):
			waiting = true
		case was.record == nil || was.aside:
			m.shown[id] = shown{record: want}
			m.events = append(m.events, about(now, Mirrored, want, ""))
		case was.record != want:
			m.shown[id] = shown{record: want}
			m.events = append(m.events, about(now, Updated, want, ""))
		}
	}
	for id, was := range m.shown {
		there := m.to.records[id]
		if m.from.records[id] != nil || m.doubts[id] != nil ||
			there != nil && there.Nodes[0].Metadata[Mark] == was.record.Nodes[0].Metadata[Mark] {
			continue
		}
		delete(m.shown, id)
		if !was.aside {
			m.events = append(m.events, about(now, Removed, was.record, ""))
		}
	}
	if !m.ready && !waiting {
		m.ready = true
		e := Event{Time: now, Kind: Ready}
		e.Nodes, e.Services = m.count()
		m.events = append(m.events, e)
	}
}

// count returns how many nodes of how many services are mirrored.
func (m *machine) count() (nodes, services int) {
	names := make(map[string]bool)
	for id, s := range m.shown {
		if !s.aside {
			nodes++
			names[id.Service] = true
		}
	}
	return nodes, len(names)
}

// ended tells that the bridge has, and how many records it took out.
func (m *machine) ended(now time.Time, removed int) {
	m.events = append(m.events, Event{Time: now, Kind: Stopped, Nodes: removed})
}

// whose says whose record it is that is there in place of ours.
func whose(there *registry.Service) string {
	if mark := there.Nodes[0].Metadata[Mark]; mark != "" {
		return fmt.Sprintf("it is mirrored from %s already", mark)
	}
	return "it registers there by itself"
}

// alike reports whether a record is there as it was written, as far as every registry
// keeps it.
func alike(there, want *registry.Service) bool {
	return there.Version == want.Version && there.Nodes[0].Address == want.Nodes[0].Address
}
