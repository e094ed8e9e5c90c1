package bridge

import (
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// view is what is known of one side: a part for each name that is followed.
type view struct {
	name   string // of the side
	side   Which
	parts  map[string]*part
	told   bool // that it cannot be heard
	groups map[*registry.Service][]*registry.Service
	// records are the nodes, one a record, as the side's use of them makes them.
	records map[record.ID]*registry.Service
}

// part is what a source has supplied under one name.
type part struct {
	known    bool // there has been a view
	services []*registry.Service
	status   feed.Status
}

func newView(side Which, name string, names []string) *view {
	v := &view{name: name, side: side, parts: make(map[string]*part)}
	for _, n := range names {
		v.parts[n] = &part{}
	}
	return v
}

// complete reports whether all of it is known, as of some time.
func (v *view) complete() bool {
	for _, p := range v.parts {
		if !p.known {
			return false
		}
	}
	return true
}

// live reports whether all of it is being confirmed.
func (v *view) live() bool {
	for _, p := range v.parts {
		if !p.status.Live {
			return false
		}
	}
	return true
}

// take takes a view in, and makes the records of it. A record that has not changed
// stays the same to the pointer. use makes of a record what is to be kept, nil if
// nothing is.
func (v *view) take(name string, services []*registry.Service, use func(*registry.Service) *registry.Service, same func(a, b *registry.Service) bool) {
	v.parts[name].known, v.parts[name].services = true, services
	groups := make(map[*registry.Service][]*registry.Service, len(v.groups))
	records := make(map[record.ID]*registry.Service, len(v.records))
	for _, p := range v.parts {
		for _, s := range p.services {
			made, known := v.groups[s]
			if !known {
				for _, one := range record.Split(s) {
					if one = use(one); one == nil {
						continue
					}
					if old := v.records[idOf(one)]; old != nil && same(old, one) {
						one = old
					}
					made = append(made, one)
				}
			}
			groups[s] = made
			for _, one := range made {
				records[idOf(one)] = one
			}
		}
	}
	v.groups, v.records = groups, records
}

// status takes in how well a part is connected. It returns an event if that is a
// change for the whole.
func (v *view) status(now time.Time, name string, s feed.Status) (Event, bool) {
	v.parts[name].status = s
	switch {
	case v.told && v.live():
		v.told = false
		return Event{Time: now, Kind: Back, Registry: v.name, Side: v.side}, true
	case !v.told && !s.Live && s.Err != nil:
		v.told = true
		return Event{Time: now, Kind: Lost, Registry: v.name, Side: v.side, Reason: s.Err.Error()}, true
	}
	return Event{}, false
}
