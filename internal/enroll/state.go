package enroll

import (
	"fmt"
	"time"
)

// Phase is where an enrolment stands.
type Phase int

const (
	// Trying: the node is not in the registry; attempts go on until it is.
	Trying Phase = iota
	// Registered: the registry holds the node.
	Registered
	// Displaced: another process holds the node's record; we stay out of its way.
	Displaced
	// Paused: an operator took the node out of the registry.
	Paused
	// Unhealthy: the service's own check fails; the node is kept out until it
	// passes.
	Unhealthy
	// Left: the enrolment was stopped.
	Left
)

// String returns the phase in lower case.
func (p Phase) String() string {
	switch p {
	case Trying:
		return "not registered"
	case Registered:
		return "registered"
	case Displaced:
		return "displaced"
	case Paused:
		return "paused"
	case Unhealthy:
		return "unhealthy"
	case Left:
		return "left"
	default:
		return "unknown"
	}
}

// State is where an enrolment stands and why.
type State struct {
	Phase  Phase
	Node   string // the node's id, empty before the first attempt
	Reason string // in words; empty when registered
	Err    error  // behind the reason, nil if there is none
	Since  time.Time
	// lost tells a node that the registry once held from one that it never did.
	lost bool
}

// Event is one change of a State.
type Event struct {
	At time.Time
	// From is the phase before. It may be the same as Phase, for another reason.
	From, Phase Phase
	Node        string // the node's id, empty before the first attempt
	Reason      string // in words; empty when registered
	Err         error  // behind the reason, nil if there is none
}

// Ready returns nil when the node is registered and otherwise an error that
// says since when and why it is not.
func (s State) Ready() error {
	if s.Phase == Registered {
		return nil
	}
	if s.Err != nil {
		return fmt.Errorf("registry: %s since %s: %w", s.Phase, s.Since.Format(time.TimeOnly), s.Err)
	}
	return fmt.Errorf("registry: %s since %s: %s", s.Phase, s.Since.Format(time.TimeOnly), s.Reason)
}
