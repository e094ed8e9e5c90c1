package mdns

import (
	"time"

	"github.com/rollcall-go/micro/internal/record"
)

// sweepEvery is the time between two looks at what nobody uses.
const sweepEvery = 10 * time.Second

// sweep drops what nobody uses.
func (e *Engine) sweep(now time.Time) {
	e.drop(now, false)
	for name, until := range e.listed {
		if now.After(until) {
			delete(e.listed, name)
		}
	}
	for id, d := range e.gone {
		if now.Sub(d.at) > remembered {
			delete(e.gone, id)
		}
	}
	e.tidy()
	e.agenda.add(now.Add(sweepEvery), e.sweep)
}

// tidyEvery is after how many changes tidy is called at the latest.
const tidyEvery = 1000

// tidy drops what the view keeps of nodes that left. It does so when it is listed,
// which nobody may ask for a long time.
func (e *Engine) tidy() {
	e.untidy = 0
	e.view.Services()
}

// drop drops topics that nobody has used for a while; all that nobody uses now if
// there is need.
func (e *Engine) drop(now time.Time, need bool) {
	if t := e.listing; t != nil && t.users == 0 && now.Sub(t.used) > Kept {
		e.listing = nil
		clear(e.listed)
	}
	for service, t := range e.browsed {
		keep := UnseenKept
		if len(t.nodes) > 0 || len(e.services[service]) > 0 {
			keep = Kept
		}
		_, listed := e.listed[service]
		if t.users > 0 || listed && e.listing != nil || !need && now.Sub(t.used) <= keep {
			continue
		}
		delete(e.browsed, service)
		for id, n := range t.nodes {
			e.unload(n)
			if len(e.services[service]) == 0 || e.services[service][id] == nil {
				e.view.Delete(record.ID{Service: service, Node: id})
			}
		}
	}
}
