package ability

import "time"

// Status answers "is my node registered": the state of one record that this
// process registers, and how it came about.
type Status struct {
	State State
	// Reason says in words why the record is in this state. Empty for Held.
	Reason string
	// Err is the error behind the state, nil if there is none.
	Err error
	// At is when the state was entered.
	At time.Time
}

// Same reports whether nothing happened between s and t that an observer would
// want to know: everything but the time is equal.
func (s Status) Same(t Status) bool {
	return s.State == t.State && s.Reason == t.Reason && text(s.Err) == text(t.Err)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// State is what has become of a registered record.
type State int

const (
	// Absent: the record is not (or not known to be) in the registry; it will be
	// put there as soon as possible.
	Absent State = iota
	// Held: the record is in the registry and is ours.
	Held
	// Displaced: another owner holds the record; nothing is written until it goes.
	Displaced
	// Paused: an operator took the node out; we stay out until resumed.
	Paused
	// Released: we gave the record up.
	Released
)

// String returns the state in lower case.
func (s State) String() string {
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
