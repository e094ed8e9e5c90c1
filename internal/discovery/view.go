package discovery

import (
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/registry"
)

// view is the state of one followed name. Its methods are told the time and do
// no input or output; the owner serialises them, and calls tick after each.
type view struct {
	policy suspectPolicy

	known, seen bool
	revision    int64
	services    []*registry.Service
	status      feed.Status
	fatal       bool
	giveUp      time.Time // see Snapshot.GiveUp

	// diskAfter is until when a registry that says nothing is waited for before the
	// disk is asked. Zero if it is not to be asked, or was.
	diskAfter time.Time
	loading   bool      // the disk is being asked
	fromDisk  bool      // services are those of an earlier process
	savedAt   time.Time // and were confirmed at this time

	losses   []loss
	suspects []suspect

	events []Event // of the present step
	dirty  bool    // something that a snapshot shows has changed
}

// update takes over a complete view of the registry.
func (v *view) update(now time.Time, u feed.Update) {
	before := v.services
	if v.fromDisk { // what happened meanwhile was not seen
		u.Gap, u.Departed = true, feed.Departed(before, u.Services)
		v.fromDisk = false
	}
	v.known, v.dirty = true, true
	v.services, v.revision = u.Services, u.Revision
	v.seen = v.seen || anyNode(u.Services)
	if v.fatal || v.status.Since.IsZero() { // an answer says as much as a status
		v.fatal = false
		v.enter(feed.Status{Live: true, Since: now, Confirmed: now})
	}
	if !v.policy.off {
		v.depart(now, u, before)
		return
	}
	for _, d := range u.Departed {
		v.note(Departed, d)
	}
}

// setStatus takes over how well the source is connected. Suspects do not age
// while it is away, because nothing could clear them; they get their full time
// again when it is back.
func (v *view) setStatus(now time.Time, s feed.Status) {
	if s.Live && !v.status.Live {
		for i := range v.suspects {
			v.suspects[i].until = now.Add(v.policy.keep)
		}
	}
	if s.Since.IsZero() {
		s.Since = now
	}
	if s.Confirmed.IsZero() { // the answer may have been all there was
		s.Confirmed = v.status.Confirmed
	}
	v.fatal, v.dirty = false, true
	v.enter(s)
	patience, bounded := refusal.Of(s.Err).Patience()
	switch at := now.Add(patience); {
	case !bounded:
		v.giveUp = time.Time{}
	case v.giveUp.IsZero() || at.Before(v.giveUp):
		v.giveUp = at
	}
}

// fail notes that the source gave up.
func (v *view) fail(now time.Time, err error) {
	v.fatal, v.dirty = true, true
	v.enter(feed.Status{Err: err, Since: now, Confirmed: v.status.Confirmed})
}

// enter makes s the status, and tells if that is news.
func (v *view) enter(s feed.Status) {
	switch {
	case s.Live && !v.status.Live:
		v.events = append(v.events, Event{Kind: WentLive})
	case !s.Live && (v.status.Live || v.status.Err == nil):
		v.events = append(v.events, Event{Kind: WentStale, Err: s.Err})
	}
	v.status = s
}

// fill writes what is known into s.
func (v *view) fill(s *Snapshot) {
	s.Known, s.Seen, s.Revision = v.known, v.seen, v.revision
	s.Services, s.Routing = v.services, v.services
	s.Nodes = nodesOf(v.services)
	if len(v.suspects) > 0 {
		records := make([]*registry.Service, 0, len(v.services)+len(v.suspects))
		records = append(records, v.services...)
		for i := range v.suspects {
			s.Suspects = append(s.Suspects, v.suspects[i].Node)
			records = append(records, v.suspects[i].record())
		}
		s.Routing = record.Group(records)
	}
	s.Err, s.Fatal = v.status.Err, v.fatal
	s.Since, s.Confirmed = v.status.Since, v.status.Confirmed
	if !v.loading {
		s.GiveUp = v.giveUp
	}
	switch {
	case v.fromDisk:
		s.Origin, s.Confirmed = Disk, v.savedAt
	case v.status.Live:
		s.Origin = Live
	}
}

// nodesOf returns the nodes of services, which may be the very list of the only
// one: nobody changes it.
func nodesOf(services []*registry.Service) []*registry.Node {
	if len(services) == 1 {
		return services[0].Nodes
	}
	total := 0
	for _, s := range services {
		total += len(s.Nodes)
	}
	nodes := make([]*registry.Node, 0, total)
	for _, s := range services {
		nodes = append(nodes, s.Nodes...)
	}
	return nodes
}

func anyNode(services []*registry.Service) bool {
	for _, s := range services {
		if len(s.Nodes) > 0 {
			return true
		}
	}
	return false
}
