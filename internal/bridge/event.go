package bridge

import (
	"time"

	"github.com/rollcall-go/micro/registry"
)

// Kind says what an Event is about.
type Kind string

// The kinds of events.
const (
	// Ready: all that there was to mirror has been, for the first time. Nodes and
	// Services count it.
	Ready Kind = "ready"
	// Mirrored: a node's record is in the registry that is written.
	Mirrored Kind = "create"
	// Updated: so is its new record.
	Updated Kind = "update"
	// Removed: it is there no longer.
	Removed Kind = "delete"
	// Aside: a node's record is not mirrored, because there is another one of it
	// already. Reason says whose.
	Aside Kind = "aside"
	// Kept: a node left the registry that is read, and Reason says why that is not
	// believed yet.
	Kept Kind = "keep"
	// Failed: a record could not be written, and is tried again. Reason says why.
	Failed Kind = "fail"
	// Lost: a registry cannot be heard. Side says which, Reason why.
	Lost Kind = "lost"
	// Back: it can be heard again.
	Back Kind = "back"
	// Stopped: the bridge has ended. Nodes is how many records it took out.
	Stopped Kind = "stop"
)

// Which tells the sides of a bridge apart.
type Which string

// The sides.
const (
	Read    Which = "from"
	Written Which = "to"
)

// Event is one thing that happened on a bridge.
type Event struct {
	Time     time.Time `json:"time"`
	Kind     Kind      `json:"action"`
	Registry string    `json:"registry,omitempty"` // the name of a Side
	Side     Which     `json:"side,omitempty"`     // and which of the two
	Service  string    `json:"service,omitempty"`
	Version  string    `json:"version,omitempty"`
	Node     string    `json:"node,omitempty"`
	Address  string    `json:"address,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Nodes    int       `json:"nodes,omitempty"`
	Services int       `json:"services,omitempty"`
}

// about returns an event about the one node of a record.
func about(now time.Time, kind Kind, one *registry.Service, reason string) Event {
	n := one.Nodes[0]
	return Event{Time: now, Kind: kind, Service: one.Name, Version: one.Version, Node: n.Id, Address: n.Address, Reason: reason}
}
