package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// echoLimit is how long a packet may take to come back on the same host.
const echoLimit = time.Second

// family is a version of IP, and the group of multicast DNS in it (RFC 6762,
// section 3).
type family struct {
	name, network string
	group         *net.UDPAddr
}

var (
	ipv4Family = family{"IPv4", "udp4", &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}}
	ipv6Family = family{"IPv6", "udp6", &net.UDPAddr{IP: net.ParseIP("ff02::fb"), Port: 5353}}
)

// step is what a test of an interface failed at.
type step int

const (
	nothing step = iota
	listening
	joining
	sending
	hearing
)

// echo sends one packet through an interface and listens for it.
type echo struct {
	ifi    net.Interface
	family family

	failed step
	err    error // why, where somebody said it
	took   time.Duration
}

func (e *echo) run(ctx context.Context) {
	if err := ctx.Err(); err != nil {
		e.failed, e.err = sending, err
		return
	}
	ear, err := net.ListenMulticastUDP(e.family.network, &e.ifi, e.family.group)
	if err != nil {
		e.failed, e.err = joining, err
		if errors.Is(err, syscall.EADDRINUSE) {
			e.failed = listening
		}
		return
	}
	defer func() { _ = ear.Close() }()
	packet, err := question()
	if err == nil {
		err = sendOnce(ctx, e.ifi, e.family, packet)
	}
	if err != nil {
		e.failed, e.err = sending, err
		return
	}
	begun := time.Now()
	if !hears(ctx, ear, packet) {
		e.failed = hearing
	}
	e.took = time.Since(begun)
}

// sendOnce sends a packet to the group through an interface.
func sendOnce(ctx context.Context, ifi net.Interface, f family, packet []byte) error {
	mouth, err := new(net.ListenConfig).ListenPacket(ctx, f.network, ":0")
	if err != nil {
		return err
	}
	defer func() { _ = mouth.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = mouth.SetWriteDeadline(deadline) // a socket of its own takes deadlines
	}
	if err := f.through(mouth, &ifi); err != nil {
		return err
	}
	_, err = mouth.WriteTo(packet, f.group)
	return err
}

// through makes what a socket multicasts leave through an interface, and come back.
func (f family) through(c net.PacketConn, ifi *net.Interface) error {
	var p interface {
		SetMulticastInterface(*net.Interface) error
		SetMulticastLoopback(bool) error
	} = ipv4.NewPacketConn(c)
	if f.name == ipv6Family.name {
		p = ipv6.NewPacketConn(c)
	}
	return errors.Join(p.SetMulticastInterface(ifi), p.SetMulticastLoopback(true))
}

// hears waits until the packet arrives, and tells whether it did.
func hears(ctx context.Context, ear *net.UDPConn, packet []byte) bool {
	stop := context.AfterFunc(ctx, func() { _ = ear.SetReadDeadline(time.Now()) })
	defer stop()
	buf := make([]byte, 2048)
	for {
		n, _, err := ear.ReadFrom(buf)
		if err != nil {
			return false
		}
		if bytes.Equal(buf[:n], packet) {
			return true
		}
	}
}

// question returns a packet that asks for a name that nobody has.
func question() ([]byte, error) {
	name, err := dnsmessage.NewName(rand.Text() + ".rollcall-doctor.micro.")
	if err != nil {
		return nil, err
	}
	m := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET}}}
	return m.Pack()
}
