package mdns

import (
	"net"
	"net/netip"
	"testing"
)

// Who sent a packet, and how it came, decides whether it is read and how it is answered.
func TestWhoIsLetIn(t *testing.T) {
	s := &sockets{}
	s.fams.Store(&[]family{
		{group: netip.AddrPortFrom(group4, Port), askPort: 40000},
		{group: netip.AddrPortFrom(group6, Port), askPort: 40001},
	})
	s.links.Store(&[]*link{{ifi: net.Interface{Index: 1}}, {ifi: net.Interface{Index: 2}}})
	s.near.Store(&neighbourhood{
		own:  map[netip.Addr]bool{netip.MustParseAddr("10.0.0.1"): true},
		nets: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")},
		loop: map[int]bool{1: true},
	})
	unicast := netip.MustParseAddr("10.0.0.1")
	for _, tc := range []struct {
		what            string
		from            string
		to              netip.Addr
		link            int
		in              bool
		local, own, far bool
	}{
		{"a neighbour", "10.0.0.2:5353", group4, 2, true, false, false, false},
		{"a neighbour, to us alone", "10.0.0.2:5353", unicast, 2, true, false, false, false},
		{"a neighbour by IPv6", "[fe80::2%eth0]:5353", group6, 2, true, false, false, false},
		{"another host, to the group", "198.51.100.1:53", group4, 2, true, false, false, true},
		{"another host, to us alone", "198.51.100.1:53", unicast, 2, false, false, false, true},
		{"a link not in use", "10.0.0.2:5353", group4, 3, false, false, false, false},
		{"no port", "10.0.0.2:0", group4, 2, false, false, false, false},
		{"another process", "10.0.0.1:5353", group4, 2, true, true, false, false},
		{"one that has no address", "0.0.0.0:41000", group4, 1, true, true, false, false},
		{"our own question", "10.0.0.1:40000", group4, 2, true, true, true, false},
		{"a port like ours of the other family", "10.0.0.1:40001", group4, 2, true, true, false, false},
		{"a neighbour with a port like ours", "10.0.0.2:40000", group4, 2, true, false, false, false},
	} {
		p, in := s.let(arrival{from: netip.MustParseAddrPort(tc.from), to: tc.to, link: tc.link})
		if in != tc.in || p.Local != tc.local || p.Own != tc.own || p.Far != tc.far {
			t.Errorf("%s: let in %v, local %v, own %v, far %v; want %v, %v, %v, %v", tc.what, in, p.Local, p.Own, p.Far, tc.in, tc.local, tc.own, tc.far)
		}
	}
}
