package bridge

import (
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
)

// askAgain is the time between two questions about a node whose leaving is in doubt.
const askAgain = 10 * time.Second

// doubt is a node that left the registry that is read without anybody having taken
// it out. It goes on being mirrored for a while: the other registry would tell its
// callers that the node was taken out on purpose.
type doubt struct {
	feed.Departure
	until time.Time // when it is believed
	askAt time.Time // when the source is asked about it
	alone bool      // in doubt for itself, not as one of many
}

// loss is a node that went a short while ago.
type loss struct {
	feed.Departure
	at time.Time
}

// depart judges the departures of an update that has been taken in.
func (m *machine) depart(now time.Time, u feed.Update) {
	for id := range m.doubts {
		if m.from.records[id] != nil {
			delete(m.doubts, id)
		}
	}
	recent := m.losses[:0]
	for _, l := range m.losses {
		if now.Sub(l.at) < defaults.SuspectWindow && m.mirrors(l.Departure) {
			recent = append(recent, l)
		}
	}
	m.losses = recent
	for _, d := range u.Departed {
		switch {
		case d.Cause == feed.Deleted || !m.mirrors(d):
			delete(m.doubts, record.ID{Service: d.Service, Node: d.Node.Id})
		case u.Gap || d.Cause == feed.Vanished:
			m.suspect(now, d, d.Cause == feed.Vanished && !u.Gap, "it is gone, and nobody saw it leave")
		default:
			m.losses = append(m.losses, loss{d, now})
		}
	}
	m.weigh(now)
}

// mirrors reports whether a node that left is mirrored still.
func (m *machine) mirrors(d feed.Departure) bool {
	id := record.ID{Service: d.Service, Node: d.Node.Id}
	return m.held[id] != nil && m.from.records[id] == nil
}

// weigh doubts the recent losses if they are more than half of all nodes, and more
// than one: then it is more likely the registry that lost them.
func (m *machine) weigh(now time.Time) {
	if n := len(m.losses); n < 2 || 2*n <= n+len(m.from.records) {
		return
	}
	for _, l := range m.losses {
		m.suspect(now, l.Departure, false, "it is one of many that left together, and nobody took them out")
	}
	m.losses = m.losses[:0]
}

func (m *machine) suspect(now time.Time, d feed.Departure, alone bool, why string) {
	id := record.ID{Service: d.Service, Node: d.Node.Id}
	m.doubts[id] = &doubt{Departure: d, until: now.Add(defaults.SuspectKeep), askAt: now, alone: alone}
	if !alone {
		m.events = append(m.events, about(now, Kept, m.held[id].record, why))
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
		case causes[i] == feed.Expired && d.alone:
			delete(m.doubts, id)
			m.losses = append(m.losses, loss{d.Departure, now})
		}
	}
	m.weigh(now)
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
