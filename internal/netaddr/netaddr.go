// Package netaddr decides which address a service publishes for a listener
// that is bound to every interface.
package netaddr

import (
	"cmp"
	"context"
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
	// nothing there; the host's name, if it has one, is looked up until ctx is done.
	Route func(ctx context.Context, to string) (netip.Addr, error)
}

// System is the host that the program runs on.
func System() Host {
	return Host{Interfaces: systemInterfaces, Route: systemRoute}
}

// Wish is what is known of the address that is wanted.
type Wish struct {
	// Bound is the listener's address, host:port. The address that is chosen is one
	// that the listener takes: of IPv4 if it is bound to 0.0.0.0.
	Bound string
	// IPv6Only says that a listener bound to :: takes no IPv4.
	IPv6Only bool
	// Advertise is the address that the program or the operator gave, verbatim.
	// Without a port it takes that of Bound. Empty means none.
	Advertise string
	// Interface restricts the choice to the addresses of one interface. Empty means
	// that any will do.
	Interface string
	// CIDR restricts the choice to the addresses within it, such as 10.0.0.0/8.
	// Empty means that any will do.
	CIDR string
	// Registry is the addresses of the registry, which callers can reach as well.
	Registry []string
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
// A host given as Advertise goes before a specific host in Bound. A wildcard host
// ("", 0.0.0.0, ::) is replaced by one of the host's own addresses, those that the
// wish leaves and the listener takes, in this order: the one from which the host
// reaches the registry; those of ordinary interfaces, IPv4 before IPv6, since not
// every caller has that, and private ones before others; an address of a bridge or
// tunnel; and loopback at the last. That an address is on the route to the registry
// does not raise a bridge, a tunnel or loopback above the others. The system's order
// decides the rest.
func (h Host) Advertise(ctx context.Context, w Wish) (Choice, error) {
	given, givenPort, err := split(w.Advertise)
	if err != nil {
		return Choice{}, fmt.Errorf("read the advertised address %q: %w", w.Advertise, err)
	}
	if givenPort == "0" {
		givenPort = ""
	}
	if !wildcard(given) && givenPort != "" {
		return Choice{Address: join(given, givenPort), Reason: "given as the advertised address"}, nil
	}
	host, port, err := split(w.Bound)
	if err != nil {
		return Choice{}, fmt.Errorf("read the listener's address %q: %w", w.Bound, err)
	}
	port = cmp.Or(givenPort, port)
	switch {
	case !wildcard(given):
		return Choice{Address: join(given, port), Reason: "given as the advertised address"}, nil
	case !wildcard(host):
		return Choice{Address: join(host, port), Reason: "the listener is bound to it"}, nil
	}
	return h.choose(ctx, port, w, familyOf(host, w.IPv6Only))
}

func (h Host) choose(ctx context.Context, port string, w Wish, takes family) (Choice, error) {
	ifaces, err := h.Interfaces()
	if err != nil {
		return Choice{}, fmt.Errorf("list network interfaces: %w", err)
	}
	all := rank(ifaces)
	found, err := w.filter(all, takes)
	switch {
	case err != nil:
		return Choice{}, err
	case len(all) == 0:
		return Choice{}, errors.New("choose an address to publish: no network interface has one; give one with --server_advertise")
	case len(found) == 0:
		return Choice{}, fmt.Errorf("choose an address to publish: none is %s; there are %s", w.restriction(takes), strings.Join(texts(all), ", "))
	}
	c := Choice{Candidates: texts(found)}
	best, reason := found[0], "the best"
	switch {
	case len(found) == 1:
		reason = "the only one"
	case best.addr.Is4() && slices.ContainsFunc(found, func(c candidate) bool { return !c.addr.Is4() && c.class.tier() == best.class.tier() }):
		reason = "the best, IPv4 going before IPv6"
	}
	if at := h.routed(ctx, found, w.Registry); at != "" {
		best = found[0]
		reason = "on the route to the registry at " + at
		if !best.addr.Is4() {
			reason += ", which is reached over IPv6"
		}
	}
	if r := w.restriction(takes); r != "" {
		reason += " " + r
	}
	c.Address, c.Reason, c.Loopback = join(best.addr.String(), port), reason, best.class == loopback
	return c, nil
}

// filter returns the candidates that the wish leaves and the listener takes.
func (w Wish) filter(all []candidate, takes family) ([]candidate, error) {
	var within netip.Prefix
	if w.CIDR != "" {
		var err error
		if within, err = ParseCIDR(w.CIDR); err != nil {
			return nil, err
		}
	}
	var left []candidate
	for _, c := range all {
		if takes.takes(c.addr) && (w.Interface == "" || c.iface == w.Interface) && (w.CIDR == "" || within.Contains(c.addr)) {
			left = append(left, c)
		}
	}
	return left, nil
}

// restriction says in words what the wish and the listener restrict the choice to.
func (w Wish) restriction(takes family) string {
	var parts []string
	if takes != both {
		parts = append(parts, "of "+takes.String()+", which alone the listener takes")
	}
	if w.Interface != "" {
		parts = append(parts, "of interface "+w.Interface)
	}
	if w.CIDR != "" {
		parts = append(parts, "within "+w.CIDR)
	}
	return strings.Join(parts, ", ")
}

// ParseCIDR reads the CIDR of a Wish.
func ParseCIDR(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("read %q: want an address and a length, such as 10.0.0.0/8", text)
	}
	return p.Masked(), nil
}

// routed puts the candidate from which one of the registry's addresses is reached first, and
// returns that one's address. It returns "" and changes nothing if there is none
// better than others of a better class.
func (h Host) routed(ctx context.Context, found []candidate, registry []string) string {
	for _, to := range registry {
		local, err := h.Route(ctx, to)
		if err != nil {
			continue
		}
		i := slices.IndexFunc(found, func(c candidate) bool { return c.addr == local })
		if i >= 0 && (found[i].class < virtual || found[0].class >= virtual && found[i].class < loopback) {
			routed := found[i]
			copy(found[1:i+1], found[:i])
			found[0] = routed
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
