// Package feed is how a registry backend keeps discovery supplied.
//
// The public contract, registry.Registry, answers questions one at a time and
// says nothing about order, gaps or age. Discovery needs more: complete views
// of a name, the revision that each stands for, whether history was lost on the
// way, why nodes left, and whether the data is still being confirmed. A backend
// offers that by having the methods of [Source] (and, where it can, [Resolver])
// on the same value as registry.Registry. [Adapt] makes a Source of any other
// Registry.
package feed

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// Source supplies complete views of services.
type Source interface {
	// Follow supplies sink with the view of the named service, or of all
	// services when name is empty, until ctx is done, and then returns nil. It
	// returns an error early only for a name or a configuration that can never
	// work (a malformed address). A backend that is away is not an error: it is
	// reported through sink.Status, and Follow goes on for ever.
	//
	// The first Update arrives as soon as the backend has answered once, also when
	// the service has no node; a backend in which nobody answers for all, such as
	// multicast, waits until it has given everybody the time to answer. Calls on
	// sink come from one goroutine at a time, in order, and are over when Follow
	// returns.
	Follow(ctx context.Context, name string, sink Sink) error
}

// Sink receives what a Source supplies. Its methods return quickly.
type Sink interface {
	// Update hands over a complete view. The sink keeps u.Services without
	// copying: nobody changes them from then on.
	Update(u Update)
	// Status hands over a change in how well the source is connected.
	Status(s Status)
}

// LateSink is a Sink to which changes may be handed before a view is made of them: those
// of a service of thousands of nodes, which change all the time, are worked into one
// view then.
type LateSink interface {
	Sink
	// UpdateLate hands over a change. The sink calls u.Apply once, after those of all
	// changes before it, and then u.View, unless another change is to be applied first;
	// both one at a time, from any goroutine, and maybe after Follow has returned.
	UpdateLate(u LateUpdate)
}

// LateUpdate is a change of what is registered, and how to work it into the view.
type LateUpdate struct {
	// Apply works the change in, and returns what Update.Departed is.
	Apply func() []Departure
	// View returns what Update.Services is.
	View func() []*registry.Service
	// Revision and Gap are those of an Update.
	Revision int64
	Gap      bool
}

// Update is one complete view of what is registered.
type Update struct {
	// Services holds one entry per name and version, sorted by name, then
	// version; nodes sorted by id. Shared and immutable. Empty means that
	// nothing is registered, never that nothing is known.
	Services []*registry.Service
	// Revision orders views of one backend. Zero where a backend has none.
	Revision int64
	// Gap says that history was lost between the previous view and this one: the
	// nodes in Departed were not seen to go, they are merely no longer there.
	Gap bool
	// Departed are the nodes of the previous view that are not in this one.
	Departed []Departure
}

// Status says how well a source is connected.
type Status struct {
	// Live is true while the source confirms its views; false means that the
	// last view is kept and ages.
	Live bool
	// Err says why the source is not live. Nil when it is.
	Err error
	// Since is when this status began.
	Since time.Time
	// Confirmed is when the backend last vouched for the view: the last answer,
	// event or heartbeat received. Zero if it never did.
	Confirmed time.Time
}
