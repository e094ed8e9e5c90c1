package mdns

import (
	"net"
	"net/netip"
	"runtime"
	"sync"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// hops is how far packets may go (RFC 6762, section 11).
const hops = 255

// receiveBuffer is asked of the system for each socket: many may answer at once.
const receiveBuffer = 4 << 20

// arrival says how a packet came.
type arrival struct {
	n    int
	from netip.AddrPort
	to   netip.Addr // zero if the system does not tell
	link int        // 0 if the system does not tell
}

// socket is one for IPv4 or IPv6, over all links.
type socket interface {
	join(ifi *net.Interface) error
	// send sends over a link; a unicast packet goes where the system sends it.
	send(packet []byte, to netip.AddrPort, l *link) error
	receive(buf []byte) (arrival, error)
	port() uint16
	close() error
}

// open4 opens a socket for IPv4. One on Port is shared with whoever shares it, as
// the system does for a multicast address; port 0 is one of its own.
func open4(port uint16) (socket, error) {
	at := net.UDPAddr{IP: net.IPv4zero, Port: int(port)}
	if port != 0 {
		at.IP = net.IPv4(224, 0, 0, 0)
	}
	conn, err := net.ListenUDP("udp4", &at)
	if err != nil {
		return nil, err
	}
	s := &socket4{udp: conn, p: ipv4.NewPacketConn(conn)}
	_ = conn.SetReadBuffer(receiveBuffer) // what the system gives is enough to work
	// Without the last two, a system without them tells less, see arrival.
	_ = s.p.SetMulticastTTL(hops)
	_ = s.p.SetTTL(hops)
	_ = s.p.SetMulticastLoopback(true)
	_ = s.p.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true)
	return s, nil
}

type socket4 struct {
	udp *net.UDPConn
	p   *ipv4.PacketConn
	mu  sync.Mutex // held while the link of the socket is set, where packets cannot say it
}

func (s *socket4) join(ifi *net.Interface) error {
	return joinAnew(s.p, ifi, &net.UDPAddr{IP: group4.AsSlice()})
}

func (s *socket4) send(packet []byte, to netip.AddrPort, l *link) error {
	addr := net.UDPAddrFromAddrPort(to)
	if l == nil {
		_, err := s.udp.WriteToUDP(packet, addr)
		return err
	}
	if runtime.GOOS == "windows" {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.p.SetMulticastInterface(&l.ifi); err != nil {
			return err
		}
		_, err := s.udp.WriteToUDP(packet, addr)
		return err
	}
	// On a host with nothing but the loopback interface, the system would not find a
	// source.
	_, err := s.p.WriteTo(packet, &ipv4.ControlMessage{IfIndex: l.ifi.Index, Src: l.source4.AsSlice()}, addr)
	return err
}

func (s *socket4) receive(buf []byte) (arrival, error) {
	n, cm, from, err := s.p.ReadFrom(buf)
	a := arrival{n: n}
	if err != nil {
		return a, err
	}
	a.from = plain(from)
	if cm != nil {
		a.link = cm.IfIndex
		a.to, _ = netip.AddrFromSlice(cm.Dst)
		a.to = a.to.Unmap()
	}
	return a, nil
}

func (s *socket4) port() uint16 { return plain(s.udp.LocalAddr()).Port() }
func (s *socket4) close() error { return s.udp.Close() }

// open6 is open4 for IPv6.
func open6(port uint16) (socket, error) {
	at := net.UDPAddr{IP: net.IPv6unspecified, Port: int(port)}
	if port != 0 {
		at.IP = net.ParseIP("ff02::")
	}
	conn, err := net.ListenUDP("udp6", &at)
	if err != nil {
		return nil, err
	}
	s := &socket6{udp: conn, p: ipv6.NewPacketConn(conn)}
	_ = conn.SetReadBuffer(receiveBuffer)
	_ = s.p.SetMulticastHopLimit(hops)
	_ = s.p.SetHopLimit(hops)
	_ = s.p.SetMulticastLoopback(true)
	_ = s.p.SetControlMessage(ipv6.FlagInterface|ipv6.FlagDst, true)
	return s, nil
}

type socket6 struct {
	udp *net.UDPConn
	p   *ipv6.PacketConn
	mu  sync.Mutex
}

func (s *socket6) join(ifi *net.Interface) error {
	return joinAnew(s.p, ifi, &net.UDPAddr{IP: group6.AsSlice()})
}

func (s *socket6) send(packet []byte, to netip.AddrPort, l *link) error {
	addr := net.UDPAddrFromAddrPort(to)
	if l == nil {
		_, err := s.udp.WriteToUDP(packet, addr)
		return err
	}
	if runtime.GOOS == "windows" {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.p.SetMulticastInterface(&l.ifi); err != nil {
			return err
		}
		_, err := s.udp.WriteToUDP(packet, addr)
		return err
	}
	_, err := s.p.WriteTo(packet, &ipv6.ControlMessage{IfIndex: l.ifi.Index}, addr)
	return err
}

func (s *socket6) receive(buf []byte) (arrival, error) {
	n, cm, from, err := s.p.ReadFrom(buf)
	a := arrival{n: n}
	if err != nil {
		return a, err
	}
	a.from = plain(from)
	if cm != nil {
		a.link = cm.IfIndex
		a.to, _ = netip.AddrFromSlice(cm.Dst)
	}
	return a, nil
}

func (s *socket6) port() uint16 { return plain(s.udp.LocalAddr()).Port() }
func (s *socket6) close() error { return s.udp.Close() }

// groups are those that a socket hears.
type groups interface {
	JoinGroup(ifi *net.Interface, group net.Addr) error
	LeaveGroup(ifi *net.Interface, group net.Addr) error
}

// joinAnew joins a group, also one that was joined before the interface went down:
// that may still hold, and cannot be joined twice.
func joinAnew(g groups, ifi *net.Interface, group net.Addr) error {
	if g.JoinGroup(ifi, group) == nil {
		return nil
	}
	_ = g.LeaveGroup(ifi, group)
	return g.JoinGroup(ifi, group)
}

// plain returns the address of a packet, an IPv4 one as such.
func plain(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := u.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
