package etcd

import (
	"fmt"
	"slices"
	"strings"
)

// Version is a version of etcd without what follows the patch level.
type Version struct{ Major, Minor, Patch int }

// ParseVersion reads a version as etcd tells it. It reports false if s is none.
func ParseVersion(s string) (Version, bool) {
	var v Version
	n, err := fmt.Sscanf(s, "%d.%d.%d", &v.Major, &v.Minor, &v.Patch)
	return v, err == nil && n == 3
}

// String returns the version as major.minor.patch.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

func (v Version) line() Version { return Version{v.Major, v.Minor, 0} }

func (v Version) before(w Version) bool {
	return v.Major < w.Major || v.Major == w.Major && (v.Minor < w.Minor || v.Minor == w.Minor && v.Patch < w.Patch)
}

// flaw is a known fault of etcd.
type flaw struct {
	id   string // in etcd's list of issues, or of advisories
	what string
	// fixed has, for each line of releases that was mended, the first without it, as
	// etcd's change logs have it. A later line that is not listed never had it.
	fixed []Version
	// since is the first version of a line before those that has the fault and never
	// got rid of it. Zero: no such line is known.
	since Version
}

// free returns the first release without the fault that v can be upgraded to. It
// reports false if v does not have it.
func (f flaw) free(v Version) (Version, bool) {
	i := slices.IndexFunc(f.fixed, func(x Version) bool { return x.line() == v.line() })
	switch {
	case i >= 0:
		return f.fixed[i], v.before(f.fixed[i])
	case f.since != Version{} && !v.before(f.since) && v.before(f.fixed[0]):
		return f.fixed[0], true
	}
	return Version{}, false
}

// watchFlaws are the faults of etcd's watch that a registry can notice.
var watchFlaws = []flaw{
	{id: progress, what: "progress notices overtake events", fixed: []Version{{3, 4, 25}, {3, 5, 8}}},
	{id: "#15271", what: "a watch goes back in time after a member was cut off", fixed: []Version{{3, 4, 25}, {3, 5, 8}}},
	{id: "#17529", what: "a slow watch loses events", fixed: []Version{{3, 4, 31}, {3, 5, 13}}},
	{id: "#18089", what: "a delete is lost when its revision is compacted", fixed: []Version{{3, 4, 34}, {3, 5, 16}}},
	{id: "#19179", what: "a delete is missing from a watch that starts at a compacted revision", fixed: []Version{{3, 4, 36}, {3, 5, 18}}},
	{id: "#20221", what: "a watch on a future revision gets old events", fixed: []Version{{3, 4, 38}, {3, 5, 22}, {3, 6, 2}}},
	{id: "GHSA-xg4h-6gfc-h4m8", what: "a user who may read one key can watch the keys behind it", fixed: []Version{{3, 5, 33}, {3, 6, 14}, {3, 7, 1}}},
}

// progress is the fault of watchFlaws that makes what a watch says of its progress
// worthless. An etcd before 3.4 cannot be asked for it.
const progress = "#15220"

// TellsProgress reports whether a watch of v, asked how far it is, answers when it has
// told everything up to there, and not before.
func (v Version) TellsProgress() bool {
	i := slices.IndexFunc(watchFlaws, func(f flaw) bool { return f.id == progress })
	_, has := watchFlaws[i].free(v)
	return !has && !v.before(Version{3, 4, 0})
}

// rightsFlaws are faults that let users do what they have no right to, so that an
// upgrade takes from a service what it lives on.
var rightsFlaws = []flaw{
	{
		id: "GHSA-rfx7-8w68-q57q", what: "a transaction within a transaction is not checked for rights",
		fixed: []Version{{3, 4, 42}, {3, 5, 28}, {3, 6, 9}}, since: Version{3, 3, 0},
	},
}

// WatchFlaws returns what is known to be wrong with the watch of v, in words, and
// the first release without it. It returns "" if nothing is known.
func (v Version) WatchFlaws() (what string, free Version) { return v.flaws(watchFlaws) }

// RightsFlaws is WatchFlaws for the rights of users.
func (v Version) RightsFlaws() (what string, free Version) { return v.flaws(rightsFlaws) }

func (v Version) flaws(known []flaw) (what string, free Version) {
	var all []string
	for _, f := range known {
		if at, has := f.free(v); has {
			all = append(all, f.id+" ("+f.what+")")
			if free.before(at) {
				free = at
			}
		}
	}
	return strings.Join(all, "; "), free
}
