// Package netaddr decides which address a service publishes for a listener
// that is bound to every interface.
package netaddr

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Interface is a network interface that is up, with its addresses.
type Interface struct {
	Name     string
	Loopback bool
	// PointToPoint is true for tunnels.
	PointToPoint bool
	Addrs        []netip.Addr
}

// Host is what an address is chosen from.
type Host struct {
	// Interfaces lists the interfaces that are up, in the system's order.
	Interfaces func() ([]Interface, error)
	// Route returns the local address from which the host would reach the given
	// address of a registry: a host with or without scheme and port. It sends
	// nothing there; the host's name, if it has one, is looked up.
	Route func(to string) (netip.Addr, error)
}

// System is the host that the program runs on.
func System() Host {
	return Host{Interfaces: systemInterfaces, Route: systemRoute}
}

// Choice is an address to publish and how it came about.
type Choice struct {
	// Address is host:port, an IPv6 host in brackets.
	Address string
	// Reason says in words why this one.
	Reason string
	// Candidates are the addresses that it was chosen from, best first. Empty if
	// there was nothing to choose.
	Candidates []string
	// Loopback is true when nothing better than a loopback address was found:
	// other hosts will not reach the service.
	Loopback bool
}

// Advertise returns the address to publish for a listener bound to bound.
//
// An advertise address given by the program or the operator is taken verbatim,
// as is a specific host in bound; either takes its port from bound if it has
// none. A wildcard host ("", 0.0.0.0, ::) is replaced by, in this order: the
// address from which the host reaches one of towards (the registry's addresses),
// unless that is loopback; a private address of an ordinary interface; any other
// global address of one; an address of a bridge or tunnel; and loopback at the
// last. Within a class, IPv4 goes before IPv6 and the system's order decides.
func (h Host) Advertise(advertise, bound string, towards []string) (Choice, error) {
	host, port, err := split(bound)
	if err != nil {
		return Choice{}, fmt.Errorf("read the listener's address %q: %w", bound, err)
	}
	if advertise != "" {
		ah, ap, err := split(advertise)
		if err != nil {
			return Choice{}, fmt.Errorf("read the advertised address %q: %w", advertise, err)
		}
		if ap == "" || ap == "0" {
			ap = port
		}
		if !wildcard(ah) {
			return Choice{Address: join(ah, ap), Reason: "given as the advertised address"}, nil
		}
		host, port = ah, ap
	}
	if !wildcard(host) {
		return Choice{Address: join(host, port), Reason: "the listener is bound to it"}, nil
	}
	return h.choose(port, towards)
}

func (h Host) choose(port string, towards []string) (Choice, error) {
	ifaces, err := h.Interfaces()
	if err != nil {
		return Choice{}, fmt.Errorf("list network interfaces: %w", err)
	}
	found := rank(ifaces)
	if len(found) == 0 {
		return Choice{}, fmt.Errorf("choose an address to publish: no network interface has one; give one with --server_advertise")
	}
	c := Choice{
		Address:  join(found[0].addr.String(), port),
		Reason:   found[0].class.String() + " of " + found[0].iface,
		Loopback: found[0].class == loopback,
	}
	for _, f := range found {
		c.Candidates = append(c.Candidates, f.addr.String())
	}
	for _, to := range towards {
		local, err := h.Route(to)
		if err != nil || local.IsLoopback() || local.IsUnspecified() {
			continue
		}
		c.Address, c.Loopback = join(local.String(), port), false
		c.Reason = "on the route to the registry at " + to
		break
	}
	return c, nil
}

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

type candidate struct {
	addr  netip.Addr
	iface string
	class class
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
		if a.class != b.class {
			return int(a.class) - int(b.class)
		}
		return a.addr.BitLen() - b.addr.BitLen()
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
	for _, p := range []string{"docker", "br-", "veth", "virbr", "cni", "flannel", "tun", "tap", "wg", "utun"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// split separates host and port; a text without a port is a host.
func split(addr string) (host, port string, err error) {
	bare := addr
	if strings.HasPrefix(addr, "[") && strings.HasSuffix(addr, "]") {
		bare = addr[1 : len(addr)-1]
	}
	if ip, perr := netip.ParseAddr(bare); perr == nil {
		return ip.String(), "", nil
	}
	if !strings.Contains(addr, ":") {
		return addr, "", nil
	}
	return net.SplitHostPort(addr)
}

func join(host, port string) string {
	if port == "" {
		return host
	}
	return net.JoinHostPort(host, port)
}

func wildcard(host string) bool {
	if host == "" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsUnspecified()
}
