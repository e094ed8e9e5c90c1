package multi

import (
	"reflect"
	"slices"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// merge makes one view of those of the members. It is a plain value; its owner
// serialises the calls.
type merge struct {
	known []known // by member
	view  record.View
	// past are the records that a node had before, if not nil: a member that has one of
	// them is behind another one.
	past map[record.ID][]*registry.Service
	// doubts are the nodes that only members have that are behind, while it is waited
	// for what those say next.
	doubts map[record.ID]bool
}

// known is what a member said last.
type known struct {
	view     record.View
	services []*registry.Service // that replace made view of
	away     bool                // the member is out of touch
}

func newMerge(members int) *merge { return &merge{known: make([]known, members)} }

// replace makes services, sorted as record.Group does and immutable, what the member
// has, and returns the nodes that may have changed.
func (m *merge) replace(from int, services []*registry.Service) (about []record.ID) {
	k := &m.known[from]
	before := k.services
	k.services = services
	kept := make(map[*registry.Service]bool, len(services))
	for _, s := range services {
		kept[s] = true
	}
	there := make(map[record.ID]bool)
	old := make(map[string]*registry.Service, len(before)) // by name and version
	shared := make(map[*registry.Service]bool)
	for _, s := range before {
		old[s.Name+"\x00"+s.Version] = s
		shared[s] = kept[s]
	}
	for _, s := range services {
		if shared[s] { // nothing in it has changed
			continue
		}
		same := sameRest(old[s.Name+"\x00"+s.Version], s)
		for _, n := range s.Nodes {
			id := record.ID{Service: s.Name, Node: n.Id}
			there[id] = true
			if was := k.view.Get(id); same && was != nil && was.Version == s.Version && was.Nodes[0] == n {
				continue
			}
			one := *s
			one.Nodes = []*registry.Node{n}
			k.view.Set(&one)
			about = append(about, id)
		}
	}
	for _, s := range before {
		if shared[s] {
			continue
		}
		for _, n := range s.Nodes {
			id := record.ID{Service: s.Name, Node: n.Id}
			// A node that is in a group without change has moved there.
			if was := k.view.Get(id); !there[id] && was != nil && was.Version == s.Version {
				k.view.Delete(id)
				about = append(about, id)
			}
		}
	}
	return about
}

// sameRest reports whether two versions of a service differ in their nodes alone.
func sameRest(a, b *registry.Service) bool {
	return a != nil && reflect.DeepEqual(a.Metadata, b.Metadata) && reflect.DeepEqual(a.Endpoints, b.Endpoints)
}

// read makes services, which are the caller's to give away, what the member has, and
// returns the nodes that may have changed.
func (m *merge) read(from int, services []*registry.Service) (about []record.ID) {
	k := &m.known[from]
	there := make(map[record.ID]bool)
	for _, s := range services {
		for _, one := range record.Split(s) {
			there[idOf(one)] = true
			k.view.Set(one)
		}
	}
	for _, id := range k.view.IDs() {
		if !there[id] {
			k.view.Delete(id)
		}
		about = append(about, id)
	}
	return about
}

// setAway notes whether the member is out of touch, and returns the nodes that may
// have changed by that.
func (m *merge) setAway(from int, away bool) []record.ID {
	k := &m.known[from]
	if k.away == away {
		return nil
	}
	k.away = away
	clear(m.past) // who is back has a say again
	return k.view.IDs()
}

// settle brings the merged view up to date for a node and returns its record before
// and now, nil where it has none. They are the same pointer if nothing has changed.
func (m *merge) settle(id record.ID) (was, now *registry.Service) {
	was = m.view.Get(id)
	now, behind := m.winner(id)
	if behind && was != nil {
		m.doubts[id] = true
		return was, was
	}
	delete(m.doubts, id)
	switch {
	case now == nil && was != nil:
		m.view.Delete(id)
		delete(m.past, id)
	case was != nil && reflect.DeepEqual(was, now):
		return was, was
	case now != nil:
		m.view.Set(now)
		m.pass(id, was)
	}
	return was, now
}

// winner returns the record that counts: of the first member that has the node and is
// in touch, otherwise of the first that has it. One that is behind another counts less;
// behind says that there is no better one.
func (m *merge) winner(id record.ID) (one *registry.Service, behind bool) {
	for _, away := range []bool{false, true} {
		var late *registry.Service
		for i := range m.known {
			one := m.known[i].view.Get(id)
			switch {
			case one == nil || m.known[i].away != away:
			case !m.isPast(id, one):
				return one, false
			case late == nil:
				late = one
			}
		}
		if late != nil {
			return late, true
		}
	}
	return nil, false
}

// believe ends the doubts, and returns the nodes that they were about: what the members
// still say of them is so.
func (m *merge) believe() (about []record.ID) {
	for id := range m.doubts {
		delete(m.past, id)
		about = append(about, id)
	}
	clear(m.doubts)
	return about
}

// maxPast is how many former records of a node are remembered.
const maxPast = 8

// pass notes that was is what the node had before.
func (m *merge) pass(id record.ID, was *registry.Service) {
	if m.past == nil || was == nil {
		return
	}
	p := append(m.past[id], was)
	m.past[id] = p[max(0, len(p)-maxPast):]
}

// isPast reports whether the node had that record before, and has another one now.
func (m *merge) isPast(id record.ID, one *registry.Service) bool {
	if len(m.past[id]) == 0 || reflect.DeepEqual(m.view.Get(id), one) {
		return false
	}
	return slices.ContainsFunc(m.past[id], func(p *registry.Service) bool { return reflect.DeepEqual(p, one) })
}

// services returns the merged view, shared and immutable.
func (m *merge) services() []*registry.Service { return m.view.Services() }

// unique returns about without what is there twice, in the order of the first. It
// changes about.
func unique(about []record.ID) []record.ID {
	seen := make(map[record.ID]bool, len(about))
	return slices.DeleteFunc(about, func(id record.ID) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}
