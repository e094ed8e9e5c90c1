package mdns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/mdns/txt"
	"github.com/rollcall-go/micro/registry"
)

// segment is a network in memory: what one member multicasts, all receive, itself
// as well.
type segment struct {
	mu      sync.Mutex
	members []*member
	lost    func(from *member, packet []byte) bool // whether a packet gets lost
	sent    []string                               // what was sent, and when
	began   time.Time
}

func newSegment() *segment { return &segment{began: time.Now()} }

// member is the Transport of one host on the segment.
type member struct {
	on      *segment
	addr    netip.Addr
	packets chan Packet
	changes chan error
	left    bool // guarded by on.mu: packets is closed
}

// askPort is the port that every member asks from.
const askPort = 40000

func (s *segment) join() *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &member{
		on: s, addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(len(s.members) + 1)}),
		packets: make(chan Packet, 50_000), changes: make(chan error, 1),
	}
	s.members = append(s.members, m)
	return m
}

func (s *segment) deliver(kind string, from *member, port uint16, packet []byte, to ...*member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, fmt.Sprintf("%v %s %s", time.Since(s.began), kind, outline(packet)))
	if s.lost != nil && s.lost(from, packet) {
		return
	}
	for _, m := range to {
		if m.left {
			continue // between the sender's look at the members and now
		}
		p := Packet{Data: packet, From: netip.AddrPortFrom(from.addr, port), Link: 1, Local: m == from, Own: m == from && port == askPort}
		select {
		case m.packets <- p:
		default:
		}
	}
}

// outline is what a packet says, in short.
func outline(packet []byte) string {
	m, err := parse(packet)
	if err != nil {
		return err.Error()
	}
	var parts []string
	for _, q := range m.questions {
		parts = append(parts, q.name+"?")
	}
	for _, p := range m.pointers {
		parts = append(parts, "-> "+p.to)
	}
	for _, n := range m.nodes {
		parts = append(parts, fmt.Sprintf("%s at %v for %v", n.name, n.addr, n.ttl))
	}
	return strings.Join(parts, " ")
}

// take returns what was sent since it was last asked.
func (s *segment) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

// matching returns the lines that hold a text.
func matching(lines []string, text string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.Contains(l, text) })
}

func (s *segment) all() []*member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.members)
}

func (m *member) Ask(packet []byte) { m.on.deliver("ask", m, askPort, packet, m.on.all()...) }
func (m *member) Announce(packet []byte) {
	m.on.deliver("announce", m, Port, packet, m.on.all()...)
}

func (m *member) Reply(packet []byte, to netip.AddrPort, _ int) {
	for _, other := range m.on.all() {
		if other.addr == to.Addr() {
			m.on.deliver("reply", m, Port, packet, other)
		}
	}
}

func (m *member) Packets() <-chan Packet { return m.packets }
func (m *member) Changes() <-chan error  { return m.changes }
func (m *member) Dropped() uint64        { return 0 }
func (m *member) Close() error {
	m.on.mu.Lock()
	defer m.on.mu.Unlock()
	m.on.members = slices.DeleteFunc(m.on.members, func(o *member) bool { return o == m })
	if !m.left {
		m.left = true
		close(m.packets)
	}
	return nil
}

// host is an engine on a segment.
type host struct {
	*Engine
	member *member
	mu     sync.Mutex
	warned []string
}

func (s *segment) host(t *testing.T) *host {
	t.Helper()
	h := &host{member: s.join()}
	h.Engine = New(Config{
		Domain: txt.DefaultDomain, Host: "vm.",
		Open: func() (Transport, error) { return h.member, nil },
		Warn: func(text string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.warned = append(h.warned, text)
		},
	})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// service makes a service with one node.
func service(name, id, address string) *registry.Service {
	return &registry.Service{Name: name, Version: "1", Nodes: []*registry.Node{{Id: id, Address: address}}}
}

func (h *host) publish(t *testing.T, s *registry.Service) {
	t.Helper()
	if err := h.Publish(s, 0); err != nil {
		t.Fatal(err)
	}
}

// browse begins to browse and waits for what is there.
func (h *host) browse(t *testing.T, name string) {
	t.Helper()
	release, err := h.Use(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
}

// knows returns what a host knows of a service.
func (h *host) knows(t *testing.T, name string) string {
	t.Helper()
	v, err := h.Look(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range v.Services {
		for _, n := range s.Nodes {
			all = append(all, s.Name+"/"+n.Id+"@"+n.Address)
		}
	}
	return strings.Join(all, " ")
}
