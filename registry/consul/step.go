package consul

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
)

// step is what happened to one node: it came (no was), went (no is), or changed.
type step struct {
	was, is *row
	after   *row // what is left of one that went, nil if it is not registered any more
}

// change is what a follower learned at a time.
type change struct {
	steps    []step
	revision int64
	first    bool // the first of a follower, also if there are no steps
	gap      bool // what happened in between was not seen
}

// known are the rows of a follower, by service.
type known map[string]map[record.ID]*row

// replace puts rows in the place of those of a service and returns what happened: who
// came or changed before who went, each in the order of the ids.
func (k known) replace(name string, rows map[record.ID]*row) []step {
	before := k[name]
	if k[name] = rows; len(rows) == 0 {
		delete(k, name)
	}
	var steps []step
	for id, was := range before {
		is := rows[id]
		listed := is != nil && is.health == well
		switch {
		case was.health != well:
			if listed {
				steps = append(steps, step{is: is})
			}
		case !listed:
			steps = append(steps, step{was: was, after: is})
		case is.service != was.service:
			steps = append(steps, step{was: was, is: is})
		}
	}
	for id, is := range rows {
		if before[id] == nil && is.health == well {
			steps = append(steps, step{is: is})
		}
	}
	slices.SortFunc(steps, func(a, b step) int {
		return cmp.Or(comesFirst(a, b), strings.Compare(a.node(), b.node()))
	})
	return steps
}

// comesFirst orders who came or changed before who went.
func comesFirst(a, b step) int {
	switch {
	case (a.is == nil) == (b.is == nil):
		return 0
	case a.is != nil:
		return -1
	}
	return 1
}

func (s step) node() string {
	if s.is != nil {
		return s.is.id().Node
	}
	return s.was.id().Node
}

// names returns the services that are known, sorted.
func (k known) names() []string { return slices.Sorted(maps.Keys(k)) }

// departure says why the node of s went, as far as that was seen.
func (s step) departure() feed.Departure {
	d := feed.Departure{Service: s.was.service.Name, Version: s.was.service.Version, Node: s.was.service.Nodes[0], Token: s.was.token}
	switch {
	case s.after != nil:
		d.Cause = s.after.cause()
	case d.Node.Metadata[record.Mark] != "": // it would have said farewell
		d.Cause = feed.Vanished
	}
	return d
}

// cause says why a node that is registered is not listed.
func (r *row) cause() feed.Cause {
	switch r.health {
	case leaving, paused:
		return feed.Deleted
	case ill:
		return feed.Expired
	default:
		return feed.Unknown
	}
}
