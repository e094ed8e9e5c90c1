package grpc

import (
	"github.com/rollcall-go/micro/internal/enroll"
	"github.com/rollcall-go/micro/server"
)

// Event is one change in what has become of the server's registration, with the
// reason.
type Event = enroll.Event

// Phase is where a registration stands.
type Phase = enroll.Phase

const (
	// NotRegistered: the node is not in the registry, or no longer; attempts go on.
	NotRegistered = enroll.Trying
	// Registered: the registry holds the node.
	Registered = enroll.Registered
	// Displaced: another process holds the node's record.
	Displaced = enroll.Displaced
	// Paused: an operator took the node out of the registry.
	Paused = enroll.Paused
	// Unhealthy: the service's own check fails, and the node is kept out.
	Unhealthy = enroll.Unhealthy
	// Left: the server was stopped.
	Left = enroll.Left
)

// OnEvent has f called with what becomes of the server's registration, in order. f
// must return quickly and must not use the server. It is for exporters and tests; what
// can be counted is in Stats.
func OnEvent(f func(Event)) server.Option {
	return set(func(s *serverSettings) { s.events = f })
}
