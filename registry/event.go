package registry

import "time"

// EventType is the kind of a registry event.
type EventType int

const (
	// Create means that a node appeared.
	Create EventType = iota
	// Delete means that a node went away.
	Delete
	// Update means that a node that was there changed.
	Update
)

// String returns the action as it stands in Result.Action, "unknown" for a
// value that is none of the constants.
func (t EventType) String() string {
	switch t {
	case Create:
		return "create"
	case Delete:
		return "delete"
	case Update:
		return "update"
	default:
		return "unknown"
	}
}

// Event is a change of a service with the time at which it was seen.
type Event struct {
	Id        string
	Type      EventType
	Timestamp time.Time
	Service   *Service
}
