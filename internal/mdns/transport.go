package mdns

import (
	"errors"
	"net/netip"
)

// ErrNoMulticast is the error, wrapped, of a Transport that reaches nobody.
var ErrNoMulticast = errors.New("multicast works on no interface")

// Port and groups of multicast DNS (RFC 6762, section 3).
const Port = 5353

var (
	group4 = netip.MustParseAddr("224.0.0.251")
	group6 = netip.MustParseAddr("ff02::fb")
)

// Packet is what came over a link.
type Packet struct {
	Data []byte
	From netip.AddrPort
	// Link is the index of the interface it came in on, 0 if unknown.
	Link int
	// Local says that it was sent from this host, Own that this transport asked it.
	Local, Own bool
	// Far says that the sender is on no network of this host. Who forged such an address
	// would have it flooded by answers.
	Far bool
}

// Transport carries packets over all links of this host. Its methods may be called
// from several goroutines, those of sending keep no packet.
type Transport interface {
	// Ask multicasts a question from a port of its own, so that answers come to that
	// port: v2 answers whoever asks, and a shared port would get them to another
	// process.
	Ask(packet []byte)
	// Announce multicasts from Port.
	Announce(packet []byte)
	// Reply sends from Port to one that asked.
	Reply(packet []byte, to netip.AddrPort, link int)
	// Packets delivers what came, from this host or from a neighbour on one of its
	// links. Close may close it.
	Packets() <-chan Packet
	// Changes delivers nil whenever links came or came back, and an error when no
	// link works any more. It is never closed.
	Changes() <-chan error
	// Dropped counts packets that were not let in.
	Dropped() uint64
	// Close ends the transport and waits for what it started.
	Close() error
}
