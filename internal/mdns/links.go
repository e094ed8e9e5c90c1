package mdns

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// maxLinks is how many interfaces are used: a host with hundreds of containers has as
// many, and each question leaves over every one.
const maxLinks = 64

// link is an interface that takes multicast.
type link struct {
	ifi     net.Interface
	source4 netip.Addr // its first IPv4 address, if it has one
	has6    bool
	nets    []netip.Prefix
	joined4 bool
	joined6 bool
}

// signature is what tells a link from one that came back with other addresses.
func (l *link) signature() string { return fmt.Sprint(l.ifi.Index, l.ifi.Name, l.nets) }

// Links says which interfaces to use.
type Links struct {
	// Loopback keeps everything on this host.
	Loopback bool
}

// find returns the interfaces that are up and take multicast, and loopback. That does
// not say so, but does.
func (o Links) find() ([]*link, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the interfaces: %w", err)
	}
	var links []*link
	for _, ifi := range all {
		loop := ifi.Flags&net.FlagLoopback != 0
		if ifi.Flags&net.FlagUp == 0 || !loop && (o.Loopback || ifi.Flags&net.FlagMulticast == 0) {
			continue
		}
		l := &link{ifi: ifi}
		addrs, err := ifi.Addrs()
		if err != nil {
			continue // it went meanwhile
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			l.nets = append(l.nets, p)
			switch {
			case p.Addr().Is4() && !l.source4.IsValid():
				l.source4 = p.Addr()
			case p.Addr().Is6() && !loop: // the system has no route for it there
				l.has6 = true
			}
		}
		if l.source4.IsValid() || l.has6 {
			links = append(links, l)
		}
	}
	// Loopback and what was there first come first.
	slices.SortStableFunc(links, func(a, b *link) int { return a.ifi.Index - b.ifi.Index })
	return links[:min(len(links), maxLinks)], nil
}

// neighbourhood is what is near: this host and the networks that it is on.
type neighbourhood struct {
	own  map[netip.Addr]bool
	nets []netip.Prefix
	loop map[int]bool // the loopback interfaces
}

func near(links []*link) neighbourhood {
	n := neighbourhood{own: map[netip.Addr]bool{}, loop: map[int]bool{}}
	// All interfaces count, be they used or not.
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			n.own[p.Addr()] = true
			n.nets = append(n.nets, p.Masked())
		}
	}
	for _, l := range links {
		for _, p := range l.nets {
			n.own[p.Addr()] = true
		}
		if l.ifi.Flags&net.FlagLoopback != 0 {
			n.loop[l.ifi.Index] = true
		}
	}
	return n
}

// isOwn reports whether a is an address of this host.
func (n neighbourhood) isOwn(a netip.Addr) bool {
	return a.IsLoopback() || n.own[a.WithZone("")]
}

// isNear reports whether a is on this host or on a network that it is on.
func (n neighbourhood) isNear(a netip.Addr) bool {
	a = a.WithZone("")
	return n.isOwn(a) || a.IsLinkLocalUnicast() || slices.ContainsFunc(n.nets, func(p netip.Prefix) bool { return p.Contains(a) })
}

// describe lists links for an error.
func describe(links []*link) string {
	var names []string
	for _, l := range links {
		names = append(names, l.ifi.Name)
	}
	if names == nil {
		return "none that is up and takes multicast"
	}
	return strings.Join(names, ", ")
}
