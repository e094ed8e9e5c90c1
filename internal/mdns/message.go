package mdns

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// What v2 writes into its records.
const (
	srvPriority = 10
	srvWeight   = 1
	listedPort  = 9999
)

// anyType asks for records of all types.
const anyType = dnsmessage.TypeALL

// node is what the records of a node say.
type node struct {
	name   string // of its records, plain
	target string // the host, as SRV has it
	addr   netip.AddrPort
	text   []string
}

// builder makes one packet. The first error stays.
type builder struct {
	b   dnsmessage.Builder
	err error
}

func newBuilder(h dnsmessage.Header, compress bool) *builder {
	b := &builder{b: dnsmessage.NewBuilder(make([]byte, 0, 512), h)}
	if compress {
		b.b.EnableCompression()
	}
	return b
}

func (b *builder) do(err error) {
	if b.err == nil {
		b.err = err
	}
}

// header returns the head of a record.
func (b *builder) header(name string, ttl time.Duration) dnsmessage.ResourceHeader {
	return dnsmessage.ResourceHeader{Name: b.name(name), Class: dnsmessage.ClassINET, TTL: seconds(ttl)}
}

func (b *builder) name(name string) dnsmessage.Name {
	n, err := dnsmessage.NewName(name)
	b.do(err)
	return n
}

// seconds rounds up: only a goodbye is 0.
func seconds(d time.Duration) uint32 {
	return uint32((d + time.Second - 1) / time.Second)
}

func (b *builder) question(name string, t dnsmessage.Type) {
	b.do(b.b.StartQuestions())
	b.do(b.b.Question(dnsmessage.Question{Name: b.name(name), Type: t, Class: dnsmessage.ClassINET}))
	b.do(b.b.StartAnswers())
}

func (b *builder) ptr(name, to string, ttl time.Duration) {
	b.do(b.b.PTRResource(b.header(name, ttl), dnsmessage.PTRResource{PTR: b.name(to)}))
}

// node writes the records of a node in v2's order. Its readers take the address that
// stands behind an SRV to be that node's.
func (b *builder) node(n node, ttl time.Duration) {
	b.srv(n, ttl)
	b.address(n, ttl)
	b.txt(n, ttl)
}

func (b *builder) srv(n node, ttl time.Duration) {
	b.do(b.b.SRVResource(b.header(n.name, ttl), dnsmessage.SRVResource{
		Priority: srvPriority, Weight: srvWeight, Port: n.addr.Port(), Target: b.name(n.target),
	}))
}

func (b *builder) address(n node, ttl time.Duration) {
	if addr := n.addr.Addr(); addr.Is4() {
		b.do(b.b.AResource(b.header(n.target, ttl), dnsmessage.AResource{A: addr.As4()}))
	} else {
		b.do(b.b.AAAAResource(b.header(n.target, ttl), dnsmessage.AAAAResource{AAAA: addr.As16()}))
	}
}

func (b *builder) txt(n node, ttl time.Duration) {
	b.do(b.b.TXTResource(b.header(n.name, ttl), dnsmessage.TXTResource{TXT: n.text}))
}

// errTooLarge is the error of a packet above maxPacket.
var errTooLarge = errors.New("too large for a packet")

func (b *builder) packet() ([]byte, error) {
	if b.err != nil {
		return nil, fmt.Errorf("write a packet: %w", b.err)
	}
	packet, err := b.b.Finish()
	if err != nil {
		return nil, fmt.Errorf("write a packet: %w", err)
	}
	if len(packet) > maxPacket {
		return nil, errTooLarge
	}
	return packet, nil
}

// response is the header of everything that is not a question. id is 0, as v2 has
// it: that is how multicast DNS numbers answers.
func response() dnsmessage.Header {
	return dnsmessage.Header{Response: true, Authoritative: true}
}

// announcement says that n is there, or with a TTL of 0 that it is gone. There is no
// PTR in it, as in v2's, and one node only: v2's readers take no more from a packet.
func announcement(n node, ttl time.Duration) ([]byte, error) {
	b := newBuilder(response(), false)
	b.do(b.b.StartAnswers())
	b.node(n, ttl)
	return b.packet()
}

// answer is what whoever asks for the nodes of a service is told of one of them.
func answer(question string, t dnsmessage.Type, n node, ttl time.Duration) ([]byte, error) {
	b := newBuilder(response(), true)
	// v2 takes an answer only if it repeats the question.
	b.question(question, t)
	b.ptr(question, n.name, ttl)
	b.node(n, ttl)
	return b.packet()
}

// known is an answer that whoever asks has already.
type known struct {
	name string
	left time.Duration
}

// query asks for name, and says which answers are known, as far as they fit: who
// would give one of them keeps silent.
func query(id uint16, name string, t dnsmessage.Type, knowns []known) ([]byte, error) {
	b := newBuilder(dnsmessage.Header{ID: id}, true)
	b.question(name, t)
	size := 12 + len(name) + 6
	for _, k := range knowns {
		// The name ends in that of the question, which is written once.
		if size += 14 + len(k.name) + 2 - len(name); size > aimedPacket {
			break
		}
		b.ptr(name, k.name, k.left)
	}
	return b.packet()
}
