package etcd

import (
	"context"
	"fmt"
)

// TellsProgress reports Version.TellsProgress of the member that is connected to. One
// whose version cannot be learned is not believed.
func (c *Conn) TellsProgress(ctx context.Context) bool {
	version, err := c.version(ctx)
	known, ok := ParseVersion(version)
	return err == nil && ok && known.TellsProgress()
}

// warnOfOldVersion warns of an etcd at addr whose watch is known to lose events:
// such losses are found by listing again, and somebody should know why it takes
// until then. Where users log in, it warns of rights that are not checked, too.
func (c *Conn) warnOfOldVersion(version, addr string) {
	known, ok := ParseVersion(version)
	if !ok {
		return
	}
	if what, free := known.WatchFlaws(); what != "" {
		c.cfg.Warn(fmt.Sprintf("etcd %s at %s has known faults in its watch; what it loses is noticed within a minute; upgrade to %s or later: %s",
			known, addr, free, what))
	}
	if what, free := known.RightsFlaws(); what != "" && c.auth != nil {
		c.cfg.Warn(fmt.Sprintf("etcd %s at %s does not check all rights of its users; a user who lacks one may notice only after the upgrade to %s or later: %s",
			known, addr, free, what))
	}
}
