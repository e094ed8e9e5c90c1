package discovery

import (
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// loss is a node that went without a deliberate delete being known, a short
// while ago. It counts towards the threshold.
type loss struct {
	feed.Departure
	service *registry.Service // the version it belonged to; may be nil
	at      time.Time
	held    bool // it was made a suspect
}

// suspect is a node that left the registry view and is still routed to.
type suspect struct {
	feed.Departure
	service *registry.Service // the version it belonged to; may be nil
	until   time.Time

	question question
	askAt    time.Time // for open
}

// question is what is still to be found out about a suspect.
type question int

const (
	settled question = iota // nothing
	open                    // the referee is to be asked at askAt
	asked                   // the referee has not answered yet
)

// record returns the suspect as a service with one node.
func (s *suspect) record() *registry.Service {
	r := registry.Service{Name: s.Service, Version: s.Version}
	if s.service != nil {
		r = *s.service
	}
	r.Nodes = []*registry.Node{s.Node}
	return &r
}

// depart judges the departures of u. The services before it lend suspects the
// rest of their record.
func (v *view) depart(now time.Time, u feed.Update, before []*registry.Service) {
	back := v.returned(u)
	v.suspects = slices.DeleteFunc(v.suspects, func(s suspect) bool { return back(s.Node) })
	v.losses = slices.DeleteFunc(v.losses, func(l loss) bool {
		return back(l.Node) || now.Sub(l.at) >= v.rules.window
	})

	for _, d := range u.Departed {
		if back(d.Node) {
			continue
		}
		l := loss{Departure: d, service: version(before, d), at: now}
		switch {
		case u.Gap: // not seen to go: whether on purpose cannot be known
			v.suspects = append(v.suspects, suspect{Departure: d, service: l.service, until: now.Add(v.rules.keep)})
		case d.Lease != 0: // without a lease only a deliberate delete removes it
			v.losses = append(v.losses, l)
		}
	}

	if len(v.losses) < 2 || 2*len(v.losses) <= len(v.losses)+count(v.services) {
		return
	}
	for i := range v.losses {
		l := &v.losses[i]
		if l.held {
			continue
		}
		l.held = true
		v.suspects = append(v.suspects, suspect{
			Departure: l.Departure, service: l.service, until: l.at.Add(v.rules.keep),
			question: open, askAt: now,
		})
	}
}

// returned returns a test whether a node is registered again, or its address is
// by now that of another one.
func (v *view) returned(u feed.Update) func(*registry.Node) bool {
	if len(v.suspects) == 0 && len(v.losses) == 0 && len(u.Departed) == 0 {
		return func(*registry.Node) bool { return false }
	}
	ids, addresses := map[string]bool{}, map[string]bool{}
	for _, s := range u.Services {
		for _, n := range s.Nodes {
			ids[n.Id], addresses[n.Address] = true, true
		}
	}
	return func(n *registry.Node) bool { return ids[n.Id] || addresses[n.Address] }
}

// tick lets suspects expire. It returns the departures about which the referee
// is to be asked now, and when to call tick again at the latest, zero for never.
func (v *view) tick(now time.Time) (ask []feed.Departure, next time.Time) {
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	kept := v.suspects[:0]
	for _, s := range v.suspects {
		if v.status.Live && !now.Before(s.until) {
			v.dirty = true
			continue
		}
		if s.question == open && !now.Before(s.askAt) {
			s.question = asked
			ask = append(ask, s.Departure)
		}
		if s.question == open {
			sooner(s.askAt)
		}
		if v.status.Live {
			sooner(s.until)
		}
		kept = append(kept, s)
	}
	clear(v.suspects[len(kept):])
	v.suspects = kept
	return ask, next
}

// verdict takes in the referee's answer: for each departure whether its lease is
// gone. A node whose lease lives was removed on purpose and is dropped. After an
// error the question is put again.
func (v *view) verdict(now time.Time, about []feed.Departure, expired []bool, err error) {
	for i, d := range about {
		same := func(o feed.Departure) bool { return o.Node.Id == d.Node.Id && o.Lease == d.Lease }
		at := slices.IndexFunc(v.suspects, func(s suspect) bool { return same(s.Departure) })
		if at < 0 {
			continue
		}
		s := &v.suspects[at]
		switch {
		case err != nil || i >= len(expired):
			s.question, s.askAt = open, now.Add(v.rules.retry)
		case expired[i]:
			s.question = settled
		default:
			v.dirty = true
			v.suspects = slices.Delete(v.suspects, at, at+1)
			v.losses = slices.DeleteFunc(v.losses, func(l loss) bool { return same(l.Departure) })
		}
	}
}

// failed drops the suspects at an address that does not answer as it should.
func (v *view) failed(address string) {
	v.suspects = slices.DeleteFunc(v.suspects, func(s suspect) bool {
		if s.Node.Address != address {
			return false
		}
		v.dirty = true
		return true
	})
}

func count(services []*registry.Service) (n int) {
	for _, s := range services {
		n += len(s.Nodes)
	}
	return n
}

func version(services []*registry.Service, d feed.Departure) *registry.Service {
	for _, s := range services {
		if s.Name == d.Service && s.Version == d.Version {
			return s
		}
	}
	return nil
}
