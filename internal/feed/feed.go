// Package feed is how a registry backend keeps discovery supplied.
//
// The public contract, registry.Registry, answers questions one at a time and
// says nothing about order, gaps or age. Discovery needs more: complete views
// of a name, the revision that each stands for, whether history was lost on the
// way, and whether the data is still being confirmed. A backend offers that by
// having the methods of [Source] (and, where it can, [Referee], [Renewer] and
// [Custodian]) on the same value as registry.Registry; they are found by
// assertion. [Adapt] makes a Source of any other Registry.
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
	// The first Update arrives as soon as the backend has answered once, also
	// when the service has no node. Calls on sink come from one goroutine at a
	// time, in order, and are over when Follow returns.
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

// Departure is a node that left a view.
type Departure struct {
	Service string
	Version string
	Node    *registry.Node // shared and immutable
	// Lease is the lease that the node's record was bound to, zero if none.
	Lease int64
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

// Referee tells nodes that were deleted on purpose from nodes whose lease ran
// out. Backends with leases implement it.
type Referee interface {
	// Expired reports for each departure whether the lease behind it is gone. An
	// error means that it cannot be told now.
	Expired(ctx context.Context, gone []Departure) ([]bool, error)
}

// Renewer is implemented by a backend that may renew registrations by itself.
// A registration in any other backend is renewed by registering it again every
// third of its time to live.
type Renewer interface {
	Renews() bool
}

// Custodian is implemented by a backend that keeps watch over what was
// registered through it: it puts a record back that vanished and steps aside
// when another owner holds the record.
type Custodian interface {
	// Custody reports every change in the state of the given node's record to
	// observe, beginning with the present one, until stop is called. Calls come
	// one at a time and must return quickly; none comes after stop returned.
	Custody(service, node string, observe func(Custody)) (stop func())
}

// Pauser is implemented by a backend in which an operator can take nodes out.
type Pauser interface {
	// Paused returns the ids of the nodes of the service that are taken out, be
	// they running or not.
	Paused(ctx context.Context, service string) ([]string, error)
}

// Custody is the state of one registered record.
type Custody struct {
	State CustodyState
	// Reason says in words why the record is in this state. Empty for Held.
	Reason string
	// Err is the error behind the state, nil if there is none.
	Err error
	// At is when the state was entered.
	At time.Time
}

// CustodyState is what has become of a registered record.
type CustodyState int

const (
	// Absent: the record is not (or not known to be) in the registry; it will be
	// put there as soon as possible.
	Absent CustodyState = iota
	// Held: the record is in the registry and is ours.
	Held
	// Displaced: another owner holds the record; we stay out.
	Displaced
	// Paused: an operator took the node out; we stay out until resumed.
	Paused
	// Released: the record was deregistered by us.
	Released
)

// String returns the state in lower case.
func (s CustodyState) String() string {
	switch s {
	case Absent:
		return "absent"
	case Held:
		return "held"
	case Displaced:
		return "displaced"
	case Paused:
		return "paused"
	case Released:
		return "released"
	default:
		return "unknown"
	}
}

type generatedKey struct{}

// WithGenerated marks a registration whose node id was generated by this
// process and can therefore belong to nobody else. Such nodes share one lease;
// a node with an id chosen by an operator gets a lease of its own. The mark
// travels in registry.RegisterContext.
func WithGenerated(ctx context.Context) context.Context {
	return context.WithValue(ctx, generatedKey{}, true)
}

// Generated reports whether ctx carries the mark. A nil ctx carries none.
func Generated(ctx context.Context) bool {
	if ctx == nil {
		return false
	}
	v, _ := ctx.Value(generatedKey{}).(bool)
	return v
}

// Checker is implemented by a registry that can tell, without asking anybody,
// that it will never work: an address that is malformed, no backend chosen.
type Checker interface {
	// Err returns what makes the registry unusable for ever, nil if nothing does.
	Err() error
}

// Check returns what makes r unusable for ever, nil if nothing known does.
func Check(r registry.Registry) error {
	if c, ok := r.(Checker); ok {
		return c.Err()
	}
	return nil
}
