package mdns

import (
	"time"

	"github.com/rollcall-go/micro/internal/record"
)

// lookStep is the least time between two looks at the age of a service's nodes. One
// question does for all that have grown old meanwhile.
const lookStep = 20 * time.Millisecond

// due returns when n is to be asked for next, or is to go.
func (n *entry) due(after time.Time) time.Time {
	for _, part := range refresh {
		if at := n.heard.Add(n.ttl * part / 100); at.After(after) {
			return at
		}
	}
	return n.heard.Add(n.ttl)
}

// watchOver sees to it that the nodes of n's service are looked at when n grows old.
// There is one look to come for a service, whatever is heard of it.
func (e *Engine) watchOver(n *entry) {
	t := n.topic
	at := n.due(n.heard)
	if !t.look.IsZero() && !at.Before(t.look) {
		return
	}
	t.look = at
	e.agenda.add(at, func(now time.Time) { e.lookAt(t, now) })
}

// lookAt lets nodes go whose time is over, and asks for those that grow old.
func (e *Engine) lookAt(t *topic, now time.Time) {
	if t.look.IsZero() || now.Before(t.look) || !e.isBrowsed(t) {
		return
	}
	t.look = time.Time{}
	var next time.Time
	old := false
	for id, n := range t.nodes {
		age := now.Sub(n.heard)
		if age >= n.ttl {
			e.remove(record.ID{Service: t.service, Node: id}, expired, now)
			continue
		}
		old = old || age >= n.ttl*refresh[0]/100
		if at := n.due(now); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if old {
		e.askSoon(t, now)
	}
	if !next.IsZero() {
		t.look = next
		if soonest := now.Add(lookStep); next.Before(soonest) {
			t.look = soonest
		}
		e.agenda.add(t.look, func(now time.Time) { e.lookAt(t, now) })
	}
}
