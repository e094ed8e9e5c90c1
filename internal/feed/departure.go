package feed

import (
	"context"

	"github.com/rollcall-go/micro/registry"
)

// Cause says why a node left a view.
type Cause int

const (
	// Unknown: the view does not show why; a Resolver may find out. Such nodes are
	// believed to be gone, unless many go at once.
	Unknown Cause = iota
	// Vanished: the record is gone, although whoever registered it says so before
	// taking it out, and did not. The node is called, last, until it is back, until
	// a Resolver knows better, or until it refuses.
	Vanished
	// Deleted: the record was taken out on purpose. The node is not called.
	Deleted
	// Expired: the record's time ran out without being renewed.
	Expired
)

// String returns the cause in lower case.
func (c Cause) String() string {
	switch c {
	case Vanished:
		return "vanished"
	case Deleted:
		return "deleted"
	case Expired:
		return "expired"
	default:
		return "unknown"
	}
}

// Departure is a node that left a view.
type Departure struct {
	Service string
	Version string
	Node    *registry.Node // shared and immutable
	Cause   Cause
	// Token is the backend's own: what its Resolver needs to find out more. It can
	// be compared with ==.
	Token any
}

// Resolver is a Source that can find out why nodes left. It is asked about
// departures whose cause is Unknown or Vanished, also more than once.
type Resolver interface {
	// Resolve returns the cause of each departure, as far as it is known by now. An
	// error means that it cannot be told at present.
	Resolve(ctx context.Context, gone []Departure) ([]Cause, error)
}

// Departed returns the nodes of prev that are not in cur, under any version, with
// no cause. A service that both views share is not looked into.
func Departed(prev, cur []*registry.Service) []Departure {
	type id struct{ service, node string }
	shared := make(map[*registry.Service]bool, len(cur))
	for _, s := range cur {
		shared[s] = true
	}
	var there map[id]bool
	var gone []Departure
	for _, s := range prev {
		if shared[s] {
			continue
		}
		if there == nil {
			there = make(map[id]bool)
			for _, c := range cur {
				for _, n := range c.Nodes {
					there[id{c.Name, n.Id}] = true
				}
			}
		}
		for _, n := range s.Nodes {
			if !there[id{s.Name, n.Id}] {
				gone = append(gone, Departure{Service: s.Name, Version: s.Version, Node: n})
			}
		}
	}
	return gone
}
