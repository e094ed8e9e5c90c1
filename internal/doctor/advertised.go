package doctor

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
)

// advertised looks at the URLs that the members tell clients. The framework does
// not use them; clients that synchronize their list of members do.
func (c *cluster) advertised(ctx context.Context, members []*etcdserverpb.Member) {
	const fix = "start the member with --advertise-client-urls that clients can dial (`micro server --advertise_address`)"
	before := len(c.found)
	remote := slices.ContainsFunc(c.visits, func(v *visit) bool { return !loopback(v.addr) })
	for _, m := range members {
		var own []netip.AddrPort
		good := true
		for _, u := range m.ClientURLs {
			addr, err := hostPort(u)
			switch {
			case err != nil:
				good = false
				c.found.warn("advertised.malformed", memberName(m), fix, "it tells clients to use %q, which is no URL of an etcd", u)
			case wildcard(addr):
				good = false
				c.found.warn("advertised.wildcard", memberName(m), fix, "it tells clients to use %q: nobody can dial that", u)
			case loopback(addr) && remote:
				good = false
				c.found.warn("advertised.loopback", memberName(m), fix, "it tells clients to use %q, which is each client's own host", u)
			default:
				ips, err := endpoints(ctx, addr)
				if err != nil {
					good = false
					c.found.warn("advertised.unresolvable", memberName(m), fix+", or add the name to the name service", "it tells clients to use %q, which does not resolve here: %v", u, err)
				}
				own = append(own, ips...)
			}
		}
		if v := c.of(c.visits, m.ID); good && started(m) && v != nil && !v.isAmong(ctx, own) {
			c.found.warn("advertised.differs", memberName(m), "use the URL of the member in --registry_address, or "+fix,
				"it was reached at %s, but tells clients to use %s", v.addr, strings.Join(m.ClientURLs, ", "))
		}
	}
	if len(c.found) == before {
		c.found.ok("advertised.urls", "client URLs", "the addresses that members tell clients can be used")
	}
}

// isAmong reports whether the visited address is one of list. It is true if that
// cannot be told.
func (v *visit) isAmong(ctx context.Context, list []netip.AddrPort) bool {
	mine, err := endpoints(ctx, v.addr)
	return err != nil || slices.ContainsFunc(mine, func(a netip.AddrPort) bool { return slices.Contains(list, a) })
}
