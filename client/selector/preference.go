package selector

import (
	"time"

	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/internal/settings"
)

// The options of this file say which nodes a client prefers. They are for clients
// that choose from their own view of the services, as client/grpc does, and for the
// strategies of this package; a strategy that the program wrote is offered all nodes,
// as is Select of a selector without a client.

// prefer returns the option that changes the preferences, which travel in
// Options.Context.
func prefer(change func(*balance.Policy)) Option {
	return func(o *Options) {
		p, _ := settings.Of[balance.Policy](o.Context)
		change(&p)
		o.Context = settings.With(o.Context, p)
	}
}

// Zone makes calls go to the nodes whose metadata name this zone under the key
// "zone", as long as there are enough of them that are healthy (see ZoneThreshold),
// and else to the nodes of all zones. Empty, the default, prefers none.
func Zone(zone string) Option {
	return prefer(func(p *balance.Policy) { p.Zone = zone })
}

// ZoneThreshold sets how many healthy nodes the own zone has to have to get all calls,
// in percent of what a zone of the service has on average. The default is 50: with 30
// nodes in 3 zones, calls stay at home as long as 5 nodes there are healthy, and go to
// all zones below that. Zero or less means that one is enough.
func ZoneThreshold(percent int) Option {
	return prefer(func(p *balance.Policy) {
		if p.ZoneThreshold = percent; percent <= 0 {
			p.ZoneThreshold = -1
		}
	})
}

// Subset makes the client call only so many nodes of each service that has more than
// 100, the same ones for as long as they are there, so that there are fewer
// connections. Other clients call others; which, chance decides, so that it is for
// services with many clients: all subsets together should hold each node ten times and
// more, or some nodes get far more calls than others. When none of the subset is
// ready, other nodes are called. Zero, the default, calls all.
func Subset(nodes int) Option {
	return prefer(func(p *balance.Policy) { p.Subset = max(nodes, 0) })
}

// WarmUp lets the share of calls that a new node gets grow evenly, from next to
// nothing to the full, within the given time after the client first saw it. Nodes that
// were there when the client first looked, or that come back within ten minutes, are
// not new. Zero, the default, gives a new node its share at once.
func WarmUp(d time.Duration) Option {
	return prefer(func(p *balance.Policy) { p.WarmUp = max(d, 0) })
}
