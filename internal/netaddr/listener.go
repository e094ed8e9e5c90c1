package netaddr

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// CheckListener returns what keeps callers from reaching a listener at addr:
// everything but TCP does, unless advertise, host and port, leads there.
func CheckListener(addr net.Addr, advertise string) error {
	if !strings.HasPrefix(addr.Network(), "unix") && Check(addr.String(), true) == nil {
		return nil
	}
	host, port, err := split(advertise)
	if err == nil && !wildcard(host) && port != "" && port != "0" {
		return nil
	}
	return fmt.Errorf("the listener is at %q (%s), which callers cannot dial: give the TCP address, host and port, that leads there with server.Advertise or --server_advertise",
		addr.String(), addr.Network())
}

// family is the kind of addresses that a listener takes.
type family int

const (
	both family = iota
	onlyIPv4
	onlyIPv6
)

func (f family) String() string { return [...]string{"", "IPv4", "IPv6"}[f] }

// takes reports whether a listener of the family accepts connections to a.
func (f family) takes(a netip.Addr) bool {
	return f == both || a.Is4() == (f == onlyIPv4)
}

// familyOf returns what a listener takes that is bound to the wildcard host: 0.0.0.0
// is IPv4 alone, while :: takes both unless it was told otherwise.
func familyOf(host string, ipv6Only bool) family {
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.Is4():
		return onlyIPv4
	case ipv6Only:
		return onlyIPv6
	default:
		return both
	}
}
