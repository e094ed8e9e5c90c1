package grpc

import (
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/discovery"
)

// Event is one thing that happened to a service that the client follows: a node
// left, with the cause as far as it is known, or the registry went away or came
// back.
type Event = discovery.Event

// EventKind is what happened.
type EventKind = discovery.EventKind

const (
	// NodeDeparted: a node left the registry and is not called any more.
	NodeDeparted = discovery.Departed
	// NodeSuspected: a node left the registry and is called all the same, last.
	NodeSuspected = discovery.Suspected
	// NodeRestored: a suspect is registered again, or its address is another node's.
	NodeRestored = discovery.Restored
	// NodeDropped: a suspect is not called any more.
	NodeDropped = discovery.Dropped
	// WentLive: the registry confirms what is known of the service.
	WentLive = discovery.WentLive
	// WentStale: the registry does not confirm it any more.
	WentStale = discovery.WentStale
	// TookDisk: calls go by what an earlier process left on disk.
	TookDisk = discovery.TookDisk
)

// OnEvent has f called with what happens to the services that the client follows,
// for each service in order, from several goroutines for several services. f must
// return quickly and must not use the client. It is for exporters and tests; what
// can be counted is in Stats.
func OnEvent(f func(Event)) client.Option {
	return set(func(s *clientSettings) { s.events = &f })
}

// onEvent returns who is told, nil for nobody.
func (p *backendsConfig) onEvent() func(Event) {
	if p.events == nil {
		return nil
	}
	return *p.events
}
