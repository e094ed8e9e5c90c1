package etcd

import (
	"fmt"
	"slices"
	"strings"
)

// Release is a version of etcd without what follows the patch level.
type Release struct{ Major, Minor, Patch int }

// ParseRelease reads a version as etcd tells it. It reports false if s is none.
func ParseRelease(s string) (Release, bool) {
	var r Release
	n, err := fmt.Sscanf(s, "%d.%d.%d", &r.Major, &r.Minor, &r.Patch)
	return r, err == nil && n == 3
}

// String returns the release as major.minor.patch.
func (r Release) String() string { return fmt.Sprintf("%d.%d.%d", r.Major, r.Minor, r.Patch) }

// flaws are the faults of etcd's watch that a registry can notice, each with the
// first release of a line that is free of it, as etcd's change logs have it. A
// line that is not listed never had it, or is so old that it never got rid of it.
var flaws = []struct {
	id    string // in etcd's list of issues
	what  string
	fixed []Release
}{
	{"#15220", "progress notices overtake events", []Release{{3, 4, 25}, {3, 5, 8}}},
	{"#15271", "a watch goes back in time after a member was cut off", []Release{{3, 4, 25}, {3, 5, 8}}},
	{"#17529", "a slow watch loses events", []Release{{3, 4, 31}, {3, 5, 13}}},
	{"#18089", "a delete is lost when its revision is compacted", []Release{{3, 4, 34}, {3, 5, 16}}},
	{"#19179", "a delete is missing from a watch that starts at a compacted revision", []Release{{3, 4, 36}, {3, 5, 18}}},
	{"#20221", "a watch on a future revision gets old events", []Release{{3, 4, 38}, {3, 5, 22}, {3, 6, 2}}},
	{"GHSA-xg4h-6gfc-h4m8", "a user who may read one key can watch the keys behind it", []Release{{3, 5, 33}, {3, 6, 14}, {3, 7, 1}}},
}

// WatchFlaws returns what is known to be wrong with the watch of r, in words, and
// the first release of its line without it. It returns "" if nothing is known.
func (r Release) WatchFlaws() (what string, free Release) {
	var all []string
	for _, f := range flaws {
		i := slices.IndexFunc(f.fixed, func(x Release) bool { return x.Major == r.Major && x.Minor == r.Minor })
		if i < 0 || r.Patch >= f.fixed[i].Patch {
			continue
		}
		all = append(all, f.id+" ("+f.what+")")
		free = Release{r.Major, r.Minor, max(free.Patch, f.fixed[i].Patch)}
	}
	return strings.Join(all, "; "), free
}
