package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/etcd"
)

// oldest is the oldest line of releases that etcd's maintainers still mend: 3.4
// ended with 3.4.45.
var oldest = etcd.Version{Major: 3, Minor: 5}

// examineVersions looks at the releases that the members run.
func examineVersions(c *cluster) []Finding {
	var r report
	var versions []string
	for _, v := range c.answered() {
		version := v.status.Version
		if !slices.Contains(versions, version) {
			versions = append(versions, version)
		}
		known, ok := etcd.ParseVersion(version)
		if !ok {
			r.warn("version.unknown", v.addr, "see `etcd --version` there", "it says that its version is %q", version)
			continue
		}
		if known.Major < oldest.Major || known.Major == oldest.Major && known.Minor < oldest.Minor {
			r.warn("version.unsupported", v.addr, fmt.Sprintf("upgrade, one minor release after the other, to %d.%d or later", oldest.Major, oldest.Minor),
				"etcd %d.%d gets no fixes any more", known.Major, known.Minor)
		}
		if what, free := known.WatchFlaws(); what != "" {
			r.warn("version.watch_flaws", v.addr, fmt.Sprintf("upgrade to %s or later; until then services find out within a minute by listing again", free),
				"etcd %s has known faults in its watch: %s", known, what)
		}
		if what, free := known.RightsFlaws(); what != "" && v.token != "" {
			r.warn("version.rights_flaw", v.addr, fmt.Sprintf("upgrade to %s or later, and first give each user the rights that its services need (auth.*)", free),
				"etcd %s lets users do what they have no right to, and what lives on that ends with an upgrade: %s", known, what)
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

// lax says what comes of it that a release does not check all permissions, ""
// if it does.
func lax(version string) string {
	known, _ := etcd.ParseVersion(version)
	if what, free := known.RightsFlaws(); what != "" {
		return fmt.Sprintf("; etcd %s may let it write all the same, and etcd %s will not", known, free)
	}
	return ""
}
