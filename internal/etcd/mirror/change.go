package mirror

import "time"

// Entry is a key with its value as etcd holds it. Value must not be modified.
type Entry struct {
	Key            string
	Value          []byte
	Lease          int64
	CreateRevision int64
	ModRevision    int64
}

// Event is what happened to one key.
type Event struct {
	// Deleted is true if the key is gone.
	Deleted bool
	// Entry is the new entry; of a deleted one, the key alone.
	Entry Entry
}

// Change is one step of a mirror from one state of the keys to the next.
type Change struct {
	// Revision is etcd's revision after the change.
	Revision int64
	// Events are all the events of that revision, in order.
	Events []Event
	// Reset is true for a net difference, found by listing, because the history in
	// between is unknown. Departures in it were not witnessed: a key may have been
	// deleted or its lease may have run out. Every listing after a loss is told, also
	// one without Events: an observer who knew more than the mirror must hear of it.
	Reset bool
	// First is true for the first listing of a mirror: Events are all keys there
	// are, possibly none. Reset is true as well.
	First bool
}

// Status says how far a mirror can be trusted.
type Status struct {
	// Live is true while every change arrives. While it is false the keys are as
	// they were at Confirmed.
	Live bool
	// Err says why the mirror is not live.
	Err error
	// Since is the time of the last change of Live.
	Since time.Time
	// Confirmed is the last time at which the keys were known to be as mirrored.
	Confirmed time.Time
}

// Observer receives what a mirror sees. Its methods are called by one goroutine
// at a time, in order, and must return quickly. They must not call Conn.Close.
type Observer interface {
	// Change is called for every step. The first call has First set.
	Change(Change)
	// Status is called whenever Live or the error's text changes, after the Change
	// that made it so.
	Status(Status)
}
