package discovery

import (
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// suspectPolicy says which departed nodes are still called, and for how long.
type suspectPolicy struct {
	off     bool          // believe every departure
	window  time.Duration // losses within it count as one
	keep    time.Duration // how long a suspect is kept untried
	retry   time.Duration // wait before a Resolver that failed is asked again
	recheck time.Duration // wait before one that answered is asked again
}

// loss is a node that went, a short while ago, without a deliberate delete being
// known. It is believed to be gone and counts towards the threshold.
type loss struct {
	feed.Departure
	service *registry.Service // the version it belonged to; may be nil
	at      time.Time
	suspect bool // it was made one since
	told    bool // it was told that it is not called any more
}

// suspect is a node that left the registry view and is still routed to.
type suspect struct {
	feed.Departure
	service *registry.Service // the version it belonged to; may be nil
	at      time.Time         // when it left
	until   time.Time         // when it is given up
	// alone says that it is suspected for itself, not as one of many or because of
	// a gap: if its record expired it is a loss like others.
	alone bool

	question question
	askAt    time.Time // for open
}

// question is what is still to be found out about a suspect.
type question int

const (
	settled question = iota // nothing
	open                    // the Resolver is to be asked at askAt
	asked                   // the Resolver has not answered yet
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
	v.drop(Restored, func(s *suspect) bool { return back(s.Node) })
	v.losses = slices.DeleteFunc(v.losses, func(l loss) bool {
		return back(l.Node) || now.Sub(l.at) >= v.policy.window
	})
	for _, d := range u.Departed {
		if back(d.Node) {
			continue
		}
		s := suspect{Departure: d, service: version(before, d), at: now, until: now.Add(v.policy.keep)}
		switch {
		case d.Cause == feed.Deleted:
			v.forget(d)
			v.note(Departed, d)
		case d.Cause == feed.Vanished:
			s.alone, s.question, s.askAt = !u.Gap, open, now
			v.suspect(s)
		case u.Gap: // not seen to go: whether on purpose cannot be known
			v.suspect(s)
		default:
			v.losses = append(v.losses, loss{Departure: d, service: s.service, at: now})
		}
	}
	v.weigh(now)
	for i := range v.losses {
		if l := &v.losses[i]; !l.told {
			l.told = true
			if !l.suspect {
				v.note(Departed, l.Departure)
			}
		}
	}
}

// weigh makes suspects of the recent losses if they are more than half of the nodes,
// as one of one is.
func (v *view) weigh(now time.Time) {
	if 2*len(v.losses) <= len(v.losses)+count(v.services) {
		return
	}
	for i := range v.losses {
		l := &v.losses[i]
		if l.suspect {
			continue
		}
		l.suspect = true
		s := suspect{Departure: l.Departure, service: l.service, at: l.at, until: l.at.Add(v.policy.keep)}
		s.question, s.askAt = open, now
		if l.Cause == feed.Expired {
			s.askAt = now.Add(v.policy.recheck)
		}
		v.suspect(s)
		v.dirty = true
	}
}

// suspect begins to suspect a node.
func (v *view) suspect(s suspect) {
	v.suspects = append(v.suspects, s)
	v.note(Suspected, s.Departure)
}

// drop ends the suspicion of nodes, and says how.
func (v *view) drop(kind EventKind, which func(*suspect) bool) {
	v.suspects = slices.DeleteFunc(v.suspects, func(s suspect) bool {
		if !which(&s) {
			return false
		}
		v.dirty = true
		v.note(kind, s.Departure)
		return true
	})
}

// forget drops what is remembered of a node that was taken out on purpose.
func (v *view) forget(d feed.Departure) {
	v.drop(Dropped, func(s *suspect) bool { return s.Node.Id == d.Node.Id && s.Service == d.Service })
	v.losses = slices.DeleteFunc(v.losses, func(l loss) bool { return l.Node.Id == d.Node.Id && l.Service == d.Service })
}

// returned returns a test whether a node is registered again, or its address is
// by now that of another one.
func (v *view) returned(u feed.Update) func(*registry.Node) bool {
	if len(v.suspects) == 0 && len(v.losses) == 0 && len(u.Departed) == 0 {
		return func(*registry.Node) bool { return false }
	}
	// Of the nodes there are, only those matter that have something of one that left.
	ids, addresses := map[string]bool{}, map[string]bool{} // whether it is there again
	left := func(n *registry.Node) { ids[n.Id], addresses[n.Address] = false, false }
	for i := range v.suspects {
		left(v.suspects[i].Node)
	}
	for i := range v.losses {
		left(v.losses[i].Node)
	}
	for i := range u.Departed {
		left(u.Departed[i].Node)
	}
	for _, s := range u.Services {
		for _, n := range s.Nodes {
			if _, ok := ids[n.Id]; ok {
				ids[n.Id] = true
			}
			if _, ok := addresses[n.Address]; ok {
				addresses[n.Address] = true
			}
		}
	}
	return func(n *registry.Node) bool { return ids[n.Id] || addresses[n.Address] }
}

// tick lets suspects expire. It returns the departures about which the Resolver
// is to be asked now, and when to call tick again at the latest, zero for never.
func (v *view) tick(now time.Time) (ask []feed.Departure, next time.Time) {
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if v.status.Live {
		v.drop(Dropped, func(s *suspect) bool { return !now.Before(s.until) })
	}
	for i := range v.suspects {
		s := &v.suspects[i]
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
	}
	return ask, next
}

// resolve takes in what the Resolver found out about each departure. A node that
// was taken out on purpose is dropped, and so is one that merely expired, unless
// many did. The others are asked about again: an operator may take them out
// while they are suspects.
func (v *view) resolve(now time.Time, about []feed.Departure, causes []feed.Cause, err error) {
	for i, d := range about {
		at := slices.IndexFunc(v.suspects, func(s suspect) bool {
			return s.Node.Id == d.Node.Id && s.Service == d.Service && s.Token == d.Token
		})
		if at < 0 {
			continue
		}
		s := &v.suspects[at]
		if err != nil || i >= len(causes) {
			s.question, s.askAt = open, now.Add(v.policy.retry)
			continue
		}
		s.question, s.askAt, s.Cause = open, now.Add(v.policy.recheck), causes[i]
		switch {
		case s.Cause == feed.Deleted:
			v.forget(d)
		case s.Cause == feed.Expired && s.alone:
			v.losses = append(v.losses, loss{Departure: s.Departure, service: s.service, at: s.at, told: true})
			node := s.Node // s is moved
			v.drop(Dropped, func(o *suspect) bool { return o.Node == node })
		}
	}
	v.weigh(now)
}

// failed drops the suspects at an address that does not answer as it should.
func (v *view) failed(address string) {
	v.drop(Dropped, func(s *suspect) bool { return s.Node.Address == address })
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
