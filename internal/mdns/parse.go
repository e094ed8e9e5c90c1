package mdns

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// message is what of a packet matters here.
type message struct {
	response  bool
	questions []question
	pointers  []pointer
	nodes     []heard
}

type question struct {
	name string
	t    dnsmessage.Type
}

// pointer is a record of type PTR. In a question it is a known answer.
type pointer struct {
	name, to string
	ttl      time.Duration
}

// heard is what a packet says of a node, complete.
type heard struct {
	node
	ttl time.Duration
}

var errNotOurs = errors.New("an operation or a failure, which multicast DNS does not know")

// parse reads a packet of a stranger. Records of other types are passed over, a node
// is complete with SRV, TXT and an address.
func parse(packet []byte) (message, error) {
	var p dnsmessage.Parser
	h, err := p.Start(packet)
	if err != nil {
		return message{}, fmt.Errorf("read a packet: %w", err)
	}
	if h.OpCode != 0 || h.RCode != 0 {
		return message{}, errNotOurs
	}
	m := message{response: h.Response}
	if err := m.readQuestions(&p); err != nil {
		return message{}, fmt.Errorf("read the questions of a packet: %w", err)
	}
	r := reader{p: &p, m: &m, byName: map[string]*found{}, hosts: map[string]netip.Addr{}}
	if err := r.section(p.AnswerHeader, p.SkipAnswer); err != nil {
		return message{}, fmt.Errorf("read the answers of a packet: %w", err)
	}
	if m.response {
		if err := p.SkipAllAuthorities(); err != nil {
			return message{}, fmt.Errorf("pass over a section of a packet: %w", err)
		}
		if err := r.section(p.AdditionalHeader, p.SkipAdditional); err != nil {
			return message{}, fmt.Errorf("read what a packet adds: %w", err)
		}
	}
	r.finish()
	return m, nil
}

func (m *message) readQuestions(p *dnsmessage.Parser) error {
	for range maxQuestions {
		q, err := p.Question()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return nil
		}
		if err != nil {
			return err
		}
		// The topmost bit of the class says that an answer to the asker alone will do.
		if class := q.Class &^ (1 << 15); class == dnsmessage.ClassINET || class == dnsmessage.ClassANY {
			m.questions = append(m.questions, question{q.Name.String(), q.Type})
		}
	}
	return p.SkipAllQuestions()
}

// reader reads the records of one packet.
type reader struct {
	p      *dnsmessage.Parser
	m      *message
	order  []*found
	byName map[string]*found
	hosts  map[string]netip.Addr // addresses by their owner
	last   *found                // whose SRV came last
	count  int
}

// found is what was read of a node so far.
type found struct {
	heard
	srv, txt bool
}

func (r *reader) section(header func() (dnsmessage.ResourceHeader, error), skip func() error) error {
	for ; r.count < maxRecords; r.count++ {
		h, err := header()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return nil
		}
		if err == nil {
			err = r.record(h, skip)
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("there are more than %d records", maxRecords)
}

func (r *reader) record(h dnsmessage.ResourceHeader, skip func() error) error {
	ttl := time.Duration(h.TTL) * time.Second
	switch h.Type {
	case dnsmessage.TypePTR:
		rr, err := r.p.PTRResource()
		if err == nil {
			r.m.pointers = append(r.m.pointers, pointer{h.Name.String(), rr.PTR.String(), ttl})
		}
		return err
	case dnsmessage.TypeSRV:
		rr, err := r.p.SRVResource()
		if err == nil {
			f := r.named(h.Name.String())
			f.srv, f.target, f.ttl = true, rr.Target.String(), ttl
			f.addr = netip.AddrPortFrom(f.addr.Addr(), rr.Port)
			r.last = f
		}
		return err
	case dnsmessage.TypeTXT:
		rr, err := r.p.TXTResource()
		if err == nil {
			f := r.named(h.Name.String())
			f.txt, f.text = true, rr.TXT
		}
		return err
	case dnsmessage.TypeA:
		rr, err := r.p.AResource()
		if err == nil {
			r.address(h.Name.String(), netip.AddrFrom4(rr.A))
		}
		return err
	case dnsmessage.TypeAAAA:
		rr, err := r.p.AAAAResource()
		if err == nil {
			r.address(h.Name.String(), netip.AddrFrom16(rr.AAAA).Unmap())
		}
		return err
	}
	return skip()
}

func (r *reader) named(name string) *found {
	f := r.byName[name]
	if f == nil {
		f = &found{heard: heard{node: node{name: name}}}
		r.byName[name] = f
		r.order = append(r.order, f)
	}
	return f
}

// address notes the address of a host. Nodes of one host share its name, whatever
// their addresses: as in v2, one that stands behind an SRV is that node's.
func (r *reader) address(host string, addr netip.Addr) {
	r.hosts[host] = prefer(r.hosts[host], addr)
	if r.last != nil && r.last.target == host {
		r.last.addr = netip.AddrPortFrom(prefer(r.last.addr.Addr(), addr), r.last.addr.Port())
	}
}

// prefer returns the address that v2 takes of two: IPv4 before IPv6.
func prefer(a, b netip.Addr) netip.Addr {
	if a.IsValid() && (a.Is4() || !b.Is4()) {
		return a
	}
	return b
}

// finish gives nodes without an address of their own that of their host, and keeps
// the complete ones.
func (r *reader) finish() {
	for _, f := range r.order {
		if !f.addr.Addr().IsValid() {
			f.addr = netip.AddrPortFrom(r.hosts[f.target], f.addr.Port())
		}
		if f.srv && f.txt && f.addr.IsValid() && f.addr.Port() != 0 {
			r.m.nodes = append(r.m.nodes, f.heard)
		}
	}
}
