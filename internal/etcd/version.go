package etcd

import (
	"context"
	"errors"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// lookAtVersions begins, at the first call, to ask each etcd that is connected to
// for its version, and to warn of one whose watch is known to lose events: such
// losses are found by listing again, and somebody should know why it takes until
// then.
func (c *Conn) lookAtVersions() {
	if c.cfg.Warn == nil {
		return
	}
	c.versions.Do(func() { c.Go(c.followVersions) })
}

func (c *Conn) followVersions(ctx context.Context) {
	told := map[string]bool{}
	for asked := uint64(0); ; {
		link := c.Link()
		if link.Up && link.Generation != asked {
			asked = link.Generation
			// An etcd that does not tell is asked again with the next connection.
			if version, err := c.version(ctx); err == nil && !told[version] {
				told[version] = true
				c.warnOfVersion(version, link.Addr)
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-link.Changed:
		}
	}
}

// version asks the member that is connected to for its version. That is not a
// request of Do: a member answers it that is cut off from the others, and would
// seem to answer all.
func (c *Conn) version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	client, err := c.Ready(ctx)
	if err != nil {
		return "", err
	}
	cc := client.ActiveConnection()
	if cc == nil {
		return "", errors.New("there is no connection")
	}
	s, err := pb.NewMaintenanceClient(cc).Status(ctx, &pb.StatusRequest{})
	return s.GetVersion(), err
}

func (c *Conn) warnOfVersion(version, addr string) {
	known, ok := ParseRelease(version)
	if !ok {
		return
	}
	if what, free := known.WatchFlaws(); what != "" {
		c.cfg.Warn(fmt.Sprintf("etcd %s at %s has known faults in its watch; what it loses is noticed within a minute; upgrade to %s or later: %s",
			known, addr, free, what))
	}
}
