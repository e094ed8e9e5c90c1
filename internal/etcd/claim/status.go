package claim

import "time"

// State is what has become of a claimed key.
type State int

const (
	// Absent: the key is not, or not known to be, in etcd under our lease. It is
	// put there as soon as that is possible.
	Absent State = iota
	// Held: the key is in etcd under our lease.
	Held
	// Displaced: the key is under a lease that is not ours. Nothing is written
	// until it goes away.
	Displaced
	// Paused: an operator set the pause key. The key is deleted, and put back when
	// the pause key goes away.
	Paused
	// Released: the claim was given up by Release.
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

// Status is a state of a claim and how it came about.
type Status struct {
	State State
	// Reason says in words why the claim is in this state. It is empty for Held.
	Reason string
	// Err is what stands in the way, as far as it is an error.
	Err error
	// At is when the state was entered.
	At time.Time
}

// same reports whether nothing happened from s to t that an observer would
// want to be told.
func (s Status) same(t Status) bool {
	return s.State == t.State && s.Reason == t.Reason && errText(s.Err) == errText(t.Err)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
