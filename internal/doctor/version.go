package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/etcd"
)

// oldest is the oldest line of releases that etcd's maintainers still mend: 3.4
// ended with 3.4.45.
var oldest = etcd.Release{Major: 3, Minor: 5}

// examineVersions looks at the releases that the members run.
func examineVersions(c *cluster) []Finding {
	var r report
	var versions []string
	for _, v := range c.answered() {
		version := v.status.Version
		if !slices.Contains(versions, version) {
			versions = append(versions, version)
		}
		known, ok := etcd.ParseRelease(version)
		if !ok {
			r.warn("version.unknown", v.addr, "see `etcd --version` there", "it says that its version is %q", version)
			continue
		}
		if known.Major < oldest.Major || known.Major == oldest.Major && known.Minor < oldest.Minor {
			r.warn("version.unsupported", v.addr, fmt.Sprintf("upgrade, one minor release after the other, to %d.%d or later", oldest.Major, oldest.Minor),
				"etcd %d.%d gets no fixes any more", known.Major, known.Minor)
		}
		if better, lax := unchecked(version); lax && v.token != "" {
			r.warn("version.rights_flaw", v.addr, fmt.Sprintf("upgrade to %s or later; until then take whoever may log in for one who may do everything", better),
				"etcd %s checks no permissions inside of nested transactions (GHSA-rfx7-8w68-q57q)", known)
		}
		if what, free := known.WatchFlaws(); what != "" {
			r.warn("version.watch_flaws", v.addr, fmt.Sprintf("upgrade to %s or later; until then services find out within a minute by listing again", free),
				"etcd %s has known faults in its watch: %s", known, what)
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

// checksRights are the first releases of their lines that check permissions inside
// of transactions in transactions too (GHSA-rfx7-8w68-q57q).
var checksRights = []etcd.Release{{Major: 3, Minor: 4, Patch: 42}, {Major: 3, Minor: 5, Patch: 28}, {Major: 3, Minor: 6, Patch: 9}}

// unchecked returns the release that checks permissions as it should in place of
// version, and whether version does not.
func unchecked(version string) (better etcd.Release, lax bool) {
	known, ok := etcd.ParseRelease(version)
	i := slices.IndexFunc(checksRights, func(r etcd.Release) bool { return r.Major == known.Major && r.Minor == known.Minor })
	switch {
	case !ok:
		return known, false
	case i < 0: // an older line was never mended, a newer one never had it
		return checksRights[0], known.Major < 3 || known.Major == 3 && known.Minor < checksRights[0].Minor
	}
	return checksRights[i], known.Patch < checksRights[i].Patch
}

// lax says what comes of it that a release does not check all permissions, ""
// if it does.
func lax(version string) string {
	if better, is := unchecked(version); is {
		return fmt.Sprintf("; etcd %s may let it write all the same, and etcd %s will not", version, better)
	}
	return ""
}
