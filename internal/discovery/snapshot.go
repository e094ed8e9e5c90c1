package discovery

import (
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// Origin says where the data of a snapshot stands.
type Origin int

const (
	// Stale: the registry does not confirm the data at present, or never did.
	Stale Origin = iota
	// Live: the registry is connected and confirms the data.
	Live
	// Disk: the registry has not answered yet; the data is what an earlier process
	// left on disk.
	Disk
)

// String returns the origin in lower case.
func (o Origin) String() string {
	switch o {
	case Live:
		return "live"
	case Disk:
		return "disk"
	default:
		return "stale"
	}
}

// Snapshot is what is known of one service at one time. It never changes; its
// fields, and all that they lead to, are shared between everybody who looked the
// service up and must not be changed either.
type Snapshot struct {
	// Name is the followed name, empty for all services.
	Name string
	// Known is true once the registry has answered, be it that there is no node,
	// or the disk in its place.
	Known bool
	// Seen is true once there was a node.
	Seen bool
	// Services is the registry view: one entry per name and version.
	Services []*registry.Service
	// Routing is Services with the suspects put back where they were. It is
	// Services itself when there are none.
	Routing []*registry.Service
	// Nodes are the nodes of Services, in order.
	Nodes []*registry.Node
	// Suspects are the nodes in Routing that are not in Services.
	Suspects []*registry.Node
	// Revision orders the views of one registry, zero where it has none.
	Revision int64
	// Origin says whether the registry confirms the data at present.
	Origin Origin
	// Err is why it does not. Nil for Live and before the first news.
	Err error
	// Fatal says that Err is not the kind that passes by itself, such as a
	// malformed address: there is no point in waiting.
	Fatal bool
	// GiveUp is when it is no longer worth waiting for the registry to answer, because
	// somebody has to mend what Err says. Zero while it may answer at any moment.
	GiveUp time.Time
	// Since is when Origin and Err became what they are.
	Since time.Time
	// Confirmed is when a registry that went away last vouched for the data, be it
	// to an earlier process. Zero if it never did.
	Confirmed time.Time

	cursor  *atomic.Uint64
	changed chan struct{}
	derived atomic.Value
}

// Derive returns what f makes of the snapshot: f is asked by the first caller, and
// what it returned, which is of the same type for all callers, by the others. A
// directory has one kind of reader that derives.
func (s *Snapshot) Derive(f func(*Snapshot) any) any {
	if v := s.derived.Load(); v != nil {
		return v
	}
	s.derived.CompareAndSwap(nil, f(s))
	return s.derived.Load()
}

// Age returns how long ago the data was last confirmed: zero while the registry
// is connected, and zero when nothing is known.
func (s *Snapshot) Age(now time.Time) time.Duration {
	if s.Origin == Live || s.Confirmed.IsZero() {
		return 0
	}
	return max(0, now.Sub(s.Confirmed))
}

// Changed returns a channel that is closed when it is time to look the name up
// again: a newer snapshot has replaced this one, the name was dropped for want of
// use, or the directory was closed. It is nil, so that it blocks, in a snapshot
// that a closed directory returned.
func (s *Snapshot) Changed() <-chan struct{} { return s.changed }

// Turn counts up by one each time it is called, beginning anywhere, and goes on
// from one snapshot of the name to the next. Round robin takes its turns from it.
func (s *Snapshot) Turn() uint64 { return s.cursor.Add(1) }
