package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// release is a version of etcd without what follows the patch level.
type release struct{ major, minor, patch int }

func parseRelease(s string) (release, bool) {
	var r release
	n, err := fmt.Sscanf(s, "%d.%d.%d", &r.major, &r.minor, &r.patch)
	return r, err == nil && n == 3
}

func (r release) String() string { return fmt.Sprintf("%d.%d.%d", r.major, r.minor, r.patch) }

// oldest is the oldest line of releases that etcd's maintainers still mend: 3.4
// ended with 3.4.45.
var oldest = release{3, 5, 0}

// flaws are the faults of etcd's watch that a registry can notice, each with the
// first release of a line that is free of it, as etcd's change logs have it. A
// line that is not listed never had it, or never got rid of it: see oldest.
var flaws = []struct {
	id    string // in etcd's list of issues
	what  string
	fixed []release
}{
	{"#15220", "progress notices overtake events", []release{{3, 4, 25}, {3, 5, 8}}},
	{"#15271", "a watch goes back in time after a member was cut off", []release{{3, 4, 25}, {3, 5, 8}}},
	{"#17529", "a slow watch loses events", []release{{3, 4, 31}, {3, 5, 13}}},
	{"#18089", "a delete is lost when its revision is compacted", []release{{3, 4, 34}, {3, 5, 16}}},
	{"#19179", "a delete is missing from a watch that starts at a compacted revision", []release{{3, 4, 36}, {3, 5, 18}}},
	{"#20221", "a watch on a future revision gets old events", []release{{3, 4, 38}, {3, 5, 22}, {3, 6, 2}}},
	{"GHSA-xg4h-6gfc-h4m8", "a user who may read one key can watch the keys behind it", []release{{3, 5, 33}, {3, 6, 14}, {3, 7, 1}}},
}

// flawsOf returns the flaws of a release, and the first of its line without them.
func flawsOf(r release) (ids []string, free release) {
	for _, f := range flaws {
		i := slices.IndexFunc(f.fixed, func(x release) bool { return x.major == r.major && x.minor == r.minor })
		if i < 0 || r.patch >= f.fixed[i].patch {
			continue
		}
		ids = append(ids, f.id+" ("+f.what+")")
		free = release{r.major, r.minor, max(free.patch, f.fixed[i].patch)}
	}
	return ids, free
}

// examineVersions looks at the releases that the members run.
func examineVersions(c *cluster) []Finding {
	var r report
	var versions []string
	for _, v := range c.answered() {
		version := v.status.Version
		if !slices.Contains(versions, version) {
			versions = append(versions, version)
		}
		known, ok := parseRelease(version)
		if !ok {
			r.warn("version.unknown", v.addr, "see `etcd --version` there", "it says that its version is %q", version)
			continue
		}
		if known.major < oldest.major || known.major == oldest.major && known.minor < oldest.minor {
			r.warn("version.unsupported", v.addr, fmt.Sprintf("upgrade, one minor release after the other, to %d.%d or later", oldest.major, oldest.minor),
				"etcd %d.%d gets no fixes any more", known.major, known.minor)
		}
		if ids, free := flawsOf(known); len(ids) > 0 {
			r.warn("version.watch_flaws", v.addr, fmt.Sprintf("upgrade to %s or later; until then services find out within a minute by listing again", free),
				"etcd %s has known faults in its watch: %s", known, strings.Join(ids, "; "))
		}
	}
	if len(versions) > 1 {
		slices.Sort(versions)
		r.warn("version.mixed", "members", "bring all members to the same release; the cluster works like the oldest until then", "the members run %s", strings.Join(versions, ", "))
	}
	if len(r) == 0 {
		r.ok("version.known", "etcd "+strings.Join(versions, ", "), "no fault of its watch is known")
	}
	return r
}
