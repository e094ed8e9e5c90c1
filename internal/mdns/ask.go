package mdns

import (
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/rollcall-go/micro/internal/mdns/txt"
)

// restart asks for t now, and then at growing intervals.
func (e *Engine) restart(t *topic, now time.Time) {
	t.next, t.interval = now, askFirst
	e.agenda.add(now, func(now time.Time) { e.askAgain(t, now) })
}

func (e *Engine) askAgain(t *topic, now time.Time) {
	if !e.isBrowsed(t) || now.Before(t.next) {
		return
	}
	e.askSoon(t, now)
	t.next = now.Add(t.interval)
	t.interval = min(2*t.interval, askMost)
	e.agenda.add(t.next, func(now time.Time) { e.askAgain(t, now) })
}

func (e *Engine) isBrowsed(t *topic) bool {
	return t == e.listing || e.browsed[t.service] == t
}

// askSoon asks for t as soon as it may.
func (e *Engine) askSoon(t *topic, now time.Time) {
	if t.waits {
		return
	}
	if wait := e.asking.reserve(now); wait > 0 {
		t.waits = true
		e.agenda.add(now.Add(wait), func(now time.Time) {
			t.waits = false
			if e.isBrowsed(t) {
				e.askFor(t, now)
			}
		})
		return
	}
	e.askFor(t, now)
}

// askFor asks for t and says what is known of it.
func (e *Engine) askFor(t *topic, now time.Time) {
	var knowns []known
	if t == e.listing {
		for name, until := range e.listed {
			if left := until.Sub(now); left > TTL/2 {
				if listed, err := txt.Listed(name, e.cfg.Domain); err == nil {
					knowns = append(knowns, known{listed, left})
				}
			}
		}
	}
	for _, n := range t.nodes {
		if left := n.ttl - now.Sub(n.heard); left > n.ttl/2 {
			knowns = append(knowns, known{n.name, left})
		}
	}
	e.ask(t.name, dnsmessage.TypePTR, knowns)
}
