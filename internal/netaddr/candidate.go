package netaddr

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

type class int

const (
	private class = iota
	global
	virtual
	loopback
)

func (c class) String() string {
	return [...]string{"private address", "address", "bridge or tunnel address", "loopback address"}[c]
}

// tier groups the classes whose addresses are worth the same to a caller who has
// both IPv4 and IPv6.
func (c class) tier() class { return max(c, global) }

type candidate struct {
	addr  netip.Addr
	iface string
	class class
}

func (c candidate) String() string {
	return fmt.Sprintf("%s (%s of %s)", c.addr, c.class, c.iface)
}

func texts(all []candidate) []string {
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = c.String()
	}
	return out
}

func rank(ifaces []Interface) []candidate {
	var out []candidate
	for _, i := range ifaces {
		for _, a := range i.Addrs {
			a = a.Unmap()
			if a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() {
				continue
			}
			out = append(out, candidate{addr: a, iface: i.Name, class: classify(i, a)})
		}
	}
	slices.SortStableFunc(out, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(a.class.tier(), b.class.tier()),
			cmp.Compare(a.addr.BitLen(), b.addr.BitLen()),
			cmp.Compare(a.class, b.class),
		)
	})
	return out
}

// carrierNAT is 100.64.0.0/10, which RFC 6598 sets aside for providers; cloud
// networks use it as private space.
var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")

func classify(i Interface, a netip.Addr) class {
	switch {
	case i.Loopback || a.IsLoopback():
		return loopback
	case i.PointToPoint || bridged(i.Name):
		return virtual
	case a.IsPrivate() || carrierNAT.Contains(a):
		return private
	default:
		return global
	}
}

// bridged tells by name the interfaces whose addresses other hosts cannot use.
func bridged(name string) bool {
	for _, p := range []string{
		"docker", "podman", "br-", "veth", "virbr", "vmnet", "vboxnet", "lxc", "lxd", "cni", "flannel", "cali",
		"tun", "tap", "wg", "utun", "zt", "tailscale",
	} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
