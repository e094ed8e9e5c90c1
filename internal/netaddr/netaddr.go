// Package netaddr decides which address a service publishes for a listener
// that is bound to every interface.
package netaddr

import (
	"errors"
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

// Wish is what is known of the address that is wanted.
type Wish struct {
	// Bound is the listener's address, host:port.
	Bound string
	// Advertise is the address that the program or the operator gave, verbatim.
	// Without a port it takes that of Bound. Empty means none.
	Advertise string
	// Interface restricts the choice to the addresses of one interface. Empty means
	// that any will do.
	Interface string
	// CIDR restricts the choice to the addresses within it, such as 10.0.0.0/8.
	// Empty means that any will do.
	CIDR string
	// Towards are the addresses of the registry, which callers can reach as well.
	Towards []string
}

// Choice is an address to publish and how it came about.
type Choice struct {
	// Address is host:port, an IPv6 host in brackets.
	Address string
	// Reason says in words why this one.
	Reason string
	// Candidates are the addresses that it was chosen from, best first, each with
	// what it is. Empty if there was nothing to choose.
	Candidates []string
	// Loopback is true when nothing better than a loopback address was found:
	// other hosts will not reach the service.
	Loopback bool
}

// String tells the whole of it.
func (c Choice) String() string {
	if len(c.Candidates) == 0 {
		return c.Address + ": " + c.Reason
	}
	return c.Address + ": " + c.Reason + ", among " + strings.Join(c.Candidates, ", ")
}

// Advertise returns the address to publish.
//
// What was given as Advertise goes before a specific host in Bound. A wildcard host
// ("", 0.0.0.0, ::) is replaced by one of the host's own addresses, those that the
// wish leaves, in this order: the one from which the host reaches the registry; a
// private address of an ordinary interface; any other global address of one; an
// address of a bridge or tunnel; and loopback at the last. That an address is on
// the route to the registry does not raise a bridge, a tunnel or loopback above the
// others. Within a class, IPv4 goes before IPv6 and the system's order decides.
func (h Host) Advertise(w Wish) (Choice, error) {
	host, port, err := split(w.Bound)
	if err != nil {
		return Choice{}, fmt.Errorf("read the listener's address %q: %w", w.Bound, err)
	}
	if w.Advertise != "" {
		ah, ap, err := split(w.Advertise)
		if err != nil {
			return Choice{}, fmt.Errorf("read the advertised address %q: %w", w.Advertise, err)
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
	return h.choose(port, w)
}

func (h Host) choose(port string, w Wish) (Choice, error) {
	ifaces, err := h.Interfaces()
	if err != nil {
		return Choice{}, fmt.Errorf("list network interfaces: %w", err)
	}
	all := rank(ifaces)
	found, err := w.filter(all)
	switch {
	case err != nil:
		return Choice{}, err
	case len(all) == 0:
		return Choice{}, errors.New("choose an address to publish: no network interface has one; give one with --server_advertise")
	case len(found) == 0:
		return Choice{}, fmt.Errorf("choose an address to publish: none is %s; there are %s", w.restriction(), strings.Join(texts(all), ", "))
	}
	c := Choice{Candidates: texts(found)}
	best, reason := found[0], "the best"
	if len(found) == 1 {
		reason = "the only one"
	}
	if at := h.routed(found, w.Towards); at != "" {
		reason = "on the route to the registry at " + at
		best = found[0]
	}
	if r := w.restriction(); r != "" {
		reason += " " + r
	}
	c.Address, c.Reason, c.Loopback = join(best.addr.String(), port), reason, best.class == loopback
	return c, nil
}

// filter returns the candidates that the wish leaves.
func (w Wish) filter(all []candidate) ([]candidate, error) {
	var within netip.Prefix
	if w.CIDR != "" {
		var err error
		if within, err = ParseCIDR(w.CIDR); err != nil {
			return nil, err
		}
	}
	var left []candidate
	for _, c := range all {
		if (w.Interface == "" || c.iface == w.Interface) && (w.CIDR == "" || within.Contains(c.addr)) {
			left = append(left, c)
		}
	}
	return left, nil
}

// restriction says in words what the wish restricts the choice to.
func (w Wish) restriction() string {
	var parts []string
	if w.Interface != "" {
		parts = append(parts, "of interface "+w.Interface)
	}
	if w.CIDR != "" {
		parts = append(parts, "within "+w.CIDR)
	}
	return strings.Join(parts, " ")
}

// ParseCIDR reads the CIDR of a Wish.
func ParseCIDR(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("read %q: want an address and a length, such as 10.0.0.0/8", text)
	}
	return p.Masked(), nil
}

// routed puts the candidate from which one of towards is reached first, and
// returns that one's address. It returns "" and changes nothing if there is none
// better than others of a better class.
func (h Host) routed(found []candidate, towards []string) string {
	for _, to := range towards {
		local, err := h.Route(to)
		if err != nil {
			continue
		}
		i := slices.IndexFunc(found, func(c candidate) bool { return c.addr == local })
		if i >= 0 && (found[i].class < virtual || found[0].class >= virtual && found[i].class < loopback) {
			found[0], found[i] = found[i], found[0]
			return to
		}
	}
	return ""
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

// Wildcard reports whether a listener at addr is bound to every interface.
func Wildcard(addr string) bool {
	host, _, err := split(addr)
	return err == nil && wildcard(host)
}

func wildcard(host string) bool {
	if host == "" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsUnspecified()
}
