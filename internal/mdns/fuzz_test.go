package mdns

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// FuzzPacket: whatever comes, twice, our node and a neighbour stay as they are unless
// the packet speaks in the neighbour's name, the engine's sums are right, and what
// it answers is few packets that can be read.
func FuzzPacket(f *testing.F) {
	for _, packet := range hostile(f) {
		if len(packet) < 4000 {
			f.Add(packet)
		}
	}
	for _, name := range []string{"s.micro.", "_services.micro.", "_services._dns-sd._udp.micro.", mine + ".s.micro."} {
		for _, t := range []dnsmessage.Type{dnsmessage.TypePTR, anyType} {
			ask, err := query(1, name, t, []known{{good + ".s.micro.", TTL}})
			if err != nil {
				f.Fatal(err)
			}
			f.Add(ask)
		}
	}
	f.Add(says(f, good, "10.0.0.9:1", 0))
	f.Add(says(f, "late", "[fd00::1]:1", TTL))
	f.Fuzz(func(t *testing.T, packet []byte) {
		if len(packet) > maxRead {
			return // there is none
		}
		e := New(Config{Domain: "micro", Host: "vm.", Open: func() (Transport, error) { return newSegment().join(), nil }, Warn: func(string) {}})
		now := time.Now()
		// By hand: to write a text takes longer than everything else here.
		own := &registry.Service{Name: "s", Version: "1", Nodes: []*registry.Node{{Id: mine, Address: "10.0.0.1:1"}}}
		text, err := plainText()
		if err != nil {
			t.Fatal(err)
		}
		e.publish(&published{service: own, asked: own, ttl: TTL, node: node{name: mine + ".s.micro.", target: "vm.", addr: netip.MustParseAddrPort("10.0.0.1:1"), text: text}}, now)
		for _, service := range []string{"s", ""} {
			if _, err := e.topic(service, now); err != nil {
				t.Fatal(err)
			}
		}
		from := Packet{From: netip.MustParseAddrPort("10.0.0.66:4000"), Link: 2}
		first := from
		first.Data = says(t, good, "10.0.0.2:1", TTL)
		e.receive(first, now)
		e.out = nil

		from.Data = packet
		e.receive(from, now)
		if n := len(e.out); n > 2*maxQuestions+4 {
			t.Fatalf("%d packets answer one", n)
		}
		e.receive(from, now)
		e.agenda.run(now.Add(time.Second))
		e.agenda.run(now.Add(2 * TTL))
		if at := e.view.Get(record.ID{Service: "s", Node: mine}); at == nil || at.Nodes[0].Address != "10.0.0.1:1" {
			t.Fatalf("our node is %+v", at)
		}
		nodes, weight := 0, 0
		for _, topic := range e.browsed {
			for id, n := range topic.nodes {
				nodes++
				weight += n.weight
				if n.id != id || n.topic != topic || e.view.Get(record.ID{Service: topic.service, Node: id}) == nil {
					t.Fatalf("node %q of %q does not fit its place", n.id, topic.service)
				}
			}
		}
		if nodes != e.entries || weight != e.weight {
			t.Fatalf("%d nodes that weigh %d, counted are %d and %d", nodes, weight, e.entries, e.weight)
		}
		for _, o := range e.out {
			if _, err := parse(o.packet); err != nil {
				t.Fatalf("what is answered cannot be read: %v", err)
			}
		}
	})
}
