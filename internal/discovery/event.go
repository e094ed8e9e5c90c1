package discovery

import (
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// EventKind is what happened to a followed service.
type EventKind int

const (
	// Departed: a node left the registry and is not called any more.
	Departed EventKind = iota
	// Suspected: a node left the registry and is called all the same, last.
	Suspected
	// Restored: a suspect is registered again, or its address is another node's.
	Restored
	// Dropped: a suspect is not called any more.
	Dropped
	// WentLive: the registry confirms what is known.
	WentLive
	// WentStale: the registry does not confirm what is known any more, for Err.
	WentStale
	// TookDisk: calls go by what an earlier process left on disk.
	TookDisk
)

// String returns the kind in lower case.
func (k EventKind) String() string {
	names := [...]string{"departed", "suspected", "restored", "dropped", "live", "stale", "from disk"}
	if k < 0 || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// Event is one thing that happened to a followed service.
type Event struct {
	Kind    EventKind
	At      time.Time
	Service string
	// Node is the node it is about, nil for an event about the registry. Shared and
	// immutable.
	Node *registry.Node
	// Cause is why the node left, as far as it is known by now.
	Cause feed.Cause
	// Err is behind WentStale.
	Err error
}

// note keeps an event about a node for the end of the step.
func (v *view) note(kind EventKind, d feed.Departure) {
	v.events = append(v.events, Event{Kind: kind, Node: d.Node, Cause: d.Cause})
}

// tell hands the events of a step to whoever wants them. The caller holds mu.
func (e *entry) tell(now time.Time) {
	events := e.view.events
	e.view.events = nil
	if e.dir.onEvent == nil || e.name == "" {
		return
	}
	for _, event := range events {
		event.At, event.Service = now, e.name
		e.dir.onEvent(event)
	}
}
