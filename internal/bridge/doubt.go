package bridge

import (
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// askAgain is the time between two questions about a node whose leaving is in doubt.
const askAgain = 10 * time.Second

// doubt is a node that left the registry that is read without anybody having taken
// it out. It goes on being mirrored for a while: the other registry would tell its
// callers that the node was taken out on purpose.
type doubt struct {
	feed.Departure
	record *registry.Service // as it is mirrored
	until  time.Time         // when it is believed
	askAt  time.Time         // when the source is asked about it
	alone  bool              // in doubt for itself, not as one of many
}

// loss is a node that went a short while ago, without anybody having taken it out. It
// is believed to be gone, until it turns out to have been one of many.
type loss struct {
	feed.Departure
	record *registry.Service // as it was mirrored
	at     time.Time
}

// depart judges the departures of an update that has been taken in.
func (m *machine) depart(now time.Time, u feed.Update) {
	for id := range m.doubts {
		if m.from.records[id] != nil {
			delete(m.doubts, id)
		}
	}
	for _, d := range u.Departed {
		id := record.ID{Service: d.Service, Node: d.Node.Id}
		h := m.held[id]
		switch {
		case d.Cause == feed.Deleted || h == nil || m.from.records[id] != nil:
			delete(m.doubts, id)
		case u.Gap || d.Cause == feed.Vanished:
			m.suspect(now, d, h.record, d.Cause == feed.Vanished && !u.Gap, "it is gone, and nobody saw it leave")
		default:
			m.losses = append(m.losses, loss{d, h.record, now})
		}
	}
	m.weigh(now)
}

// weigh doubts the recent losses if they are more than half of all nodes, and more
// than one: then it is more likely the registry that lost them. They need not have
// gone at once, as leases end one by one; those that were taken out by then are put
// back.
func (m *machine) weigh(now time.Time) {
	m.losses = slices.DeleteFunc(m.losses, func(l loss) bool {
		return now.Sub(l.at) >= defaults.SuspectWindow || m.from.records[idOf(l.record)] != nil
	})
	if n := len(m.losses); n < 2 || 2*n <= n+len(m.from.records) {
		return
	}
	for _, l := range m.losses {
		if m.doubts[idOf(l.record)] == nil {
			m.suspect(now, l.Departure, l.record, false, "it is one of many that left together, and nobody took them out")
		}
	}
}

func (m *machine) suspect(now time.Time, d feed.Departure, mirrored *registry.Service, alone bool, why string) {
	id := idOf(mirrored)
	m.doubts[id] = &doubt{Departure: d, record: mirrored, until: now.Add(defaults.SuspectKeep), askAt: now, alone: alone}
	if alone {
		return
	}
	m.events = append(m.events, about(now, Kept, mirrored, why))
	if m.shown[id].record == nil {
		m.shown[id] = shown{record: mirrored}
	}
}

// questions returns the departures about which the source is to be asked now.
func (m *machine) questions(now time.Time) []feed.Departure {
	var ask []feed.Departure
	for _, d := range m.doubts {
		if m.resolver == nil || d.Cause == feed.Expired {
			continue
		}
		if !now.Before(d.askAt) {
			ask = append(ask, d.Departure)
			d.askAt = now.Add(askAgain)
		}
		m.sooner(d.askAt)
	}
	return ask
}

// resolved takes in what the source found out.
func (m *machine) resolved(now time.Time, about []feed.Departure, causes []feed.Cause, err error) {
	for i, asked := range about {
		id := record.ID{Service: asked.Service, Node: asked.Node.Id}
		d := m.doubts[id]
		if err != nil || i >= len(causes) || d == nil || d.Token != asked.Token {
			continue
		}
		switch {
		case causes[i] == feed.Deleted:
			delete(m.doubts, id)
			m.losses = slices.DeleteFunc(m.losses, func(l loss) bool { return idOf(l.record) == id })
		case causes[i] == feed.Expired && d.alone:
			delete(m.doubts, id)
			m.losses = append(m.losses, loss{d.Departure, d.record, now})
		}
	}
	m.weigh(now)
}

// renewed gives the doubts their full time again: the source is back, and the nodes
// had no time yet to register.
func (m *machine) renewed(now time.Time) {
	for _, d := range m.doubts {
		d.until = now.Add(defaults.SuspectKeep)
	}
}

// believe ends the doubts whose time is over. While the source is away none is: the
// node may come back as soon as it can be heard.
func (m *machine) believe(now time.Time) {
	if !m.from.live() {
		return
	}
	for id, d := range m.doubts {
		if !now.Before(d.until) {
			delete(m.doubts, id)
			continue
		}
		m.sooner(d.until)
	}
}
