package mdns

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/rollcall-go/micro/internal/mdns/txt"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// said makes the announcement of a stranger.
func said(t *testing.T, service, id, address string, ttl time.Duration, metadata map[string]string) []byte {
	t.Helper()
	text, err := txt.Encode(txt.Record{Service: service, Version: "1", Metadata: metadata})
	if err != nil {
		t.Fatal(err)
	}
	packet, err := announcement(node{id + "." + service + ".micro.", "vm.", netip.MustParseAddrPort(address), text}, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// Neighbours stay undisturbed by what cannot be read, and every packet is counted.
func TestGarbageIsCountedAndPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		h, good, bad := net.host(t), net.host(t), net.join()
		h.browse(t, "s")
		good.publish(t, service("s", "good", "10.0.0.1:80"))
		valid := said(t, "s", "x", "10.0.0.2:80", TTL, nil)
		random := rand.New(rand.NewPCG(1, 2))
		for range 2000 {
			packet := append([]byte(nil), valid[:random.IntN(len(valid)+1)]...)
			for range random.IntN(8) {
				if len(packet) > 0 {
					packet[random.IntN(len(packet))] = byte(random.Uint32())
				}
			}
			bad.Announce(packet)
		}
		var text [1000]string
		for i := range text {
			text[i] = strings.Repeat("0", 255)
		}
		for name, text := range map[string][]string{
			"garbage.s.micro.": {"no hexadecimal"}, "empty.s.micro.": nil, "zlib.s.micro.": {"789c00"}, "zeros.s.micro.": text[:30],
			"other.domain.": {"00"}, "s.micro.": {"00"},
		} {
			packet, err := announcement(node{name, "vm.", netip.MustParseAddrPort("10.0.0.2:80"), text}, TTL)
			if err != nil {
				t.Fatal(err)
			}
			bad.Announce(packet)
		}
		// A text of another service than the name says.
		b := newBuilder(response(), false)
		b.do(b.b.StartAnswers())
		other, _ := txt.Encode(txt.Record{Service: "t"})
		b.node(node{"x.s.micro.", "vm.", netip.MustParseAddrPort("10.0.0.2:80"), other}, TTL)
		packet, err := b.packet()
		if err != nil {
			t.Fatal(err)
		}
		bad.Announce(packet)
		synctest.Wait()
		stats := h.Stats()
		if stats["packets_malformed"] < 100 || stats["records_skipped"] < 5 || stats["packets_ignored"] == 0 {
			t.Errorf("counted %v", stats)
		}
		if got := h.knows(t, "s"); !strings.Contains(got, "s/good@10.0.0.1:80") || strings.Contains(got, "s/garbage") {
			t.Errorf("known are %s", got)
		}
	})
}

// A record that leads to the reader's own host, said by another one, is not believed.
func TestLoopbackOfOthersIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		h, other := net.host(t), net.join()
		h.browse(t, "s")
		for _, address := range []string{"127.0.0.1:80", "[::1]:80", "0.0.0.0:80", "[::]:80"} {
			other.Announce(said(t, "s", "x", address, TTL, nil))
		}
		synctest.Wait()
		if got := h.knows(t, "s"); got != "" {
			t.Errorf("known are %s", got)
		}
		packet := said(t, "s", "x", "127.0.0.1:80", TTL, nil)
		h.member.packets <- Packet{Data: packet, From: netip.MustParseAddrPort("127.0.0.1:5353"), Local: true}
		synctest.Wait()
		if got := h.knows(t, "s"); got != "s/x@127.0.0.1:80" {
			t.Errorf("of another process of this host known are %q", got)
		}
	})
}

func TestWhatStrangersCanUseUpIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		h, bad := net.host(t), net.join()
		// Less than there may be, so that it takes less to reach it.
		h.bounds.nodes, h.bounds.listed, h.bounds.browsed = 500, 50, 60
		h.browse(t, "")
		flood := func(n int, packet func(i int) []byte) {
			for i := range n {
				bad.Announce(packet(i))
				if i%500 == 499 {
					testkit.Elapse(t, time.Second)
				}
			}
			testkit.Elapse(t, time.Second)
		}
		flood(700, func(i int) []byte { return said(t, "s", fmt.Sprint("n", i), "10.0.0.1:80", TTL, nil) })
		flood(200, func(i int) []byte { return said(t, fmt.Sprint("s", i), "n", "10.0.0.1:80", TTL, nil) })
		h.Engine.mu.Lock()
		if h.entries > 500 || h.weight > maxWeight || len(h.listed) > 50 || len(h.browsed) > 60 {
			t.Errorf("kept are %d nodes of %d bytes, %d names, %d services", h.entries, h.weight, len(h.listed), len(h.browsed))
		}
		if h.entries < 500 || h.counts.refused == 0 {
			t.Errorf("%d nodes are kept, %d records were refused", h.entries, h.counts.refused)
		}
		h.Engine.mu.Unlock()

		// Records that change all the time leave nothing behind.
		flood(3000, func(i int) []byte {
			return said(t, "s", "n1", fmt.Sprintf("10.0.%d.%d:80", i>>8, i&255), time.Duration(1+i%100)*time.Second, nil)
		})
		h.Engine.mu.Lock()
		if n := len(h.agenda.items); n > 1000 {
			t.Errorf("%d items are on the agenda", n)
		}
		h.Engine.mu.Unlock()
		testkit.Elapse(t, time.Hour)
		h.Engine.mu.Lock()
		defer h.Engine.mu.Unlock()
		if h.entries != 0 || h.weight != 0 || len(h.listed) != 0 || len(h.gone) != 0 {
			t.Errorf("an hour later kept are %d nodes of %d bytes, %d names, %d departures", h.entries, h.weight, len(h.listed), len(h.gone))
		}
	})
}

func TestWeightIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newSegment().host(t)
		h.browse(t, "s")
		heavy := &registry.Service{Name: "s", Nodes: []*registry.Node{{Id: "x", Address: "10.0.0.1:80"}}}
		h.Engine.mu.Lock()
		defer h.Engine.mu.Unlock()
		for i := range 100 {
			id := fmt.Sprint("n", i)
			one := *heavy
			one.Nodes = []*registry.Node{{Id: id, Address: "10.0.0.1:80"}}
			h.load(&entry{heardNode: heard{ttl: TTL}, id: id, service: &one, topic: h.browsed["s"], heard: time.Now(), weight: 1 << 20}, time.Now())
		}
		if h.entries != 64 || h.weight != maxWeight {
			t.Errorf("%d nodes of %d bytes are kept", h.entries, h.weight)
		}
	})
}

func TestFloodOfQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		h, bad := net.host(t), net.join()
		h.publish(t, service("s", "a", "10.0.0.1:80"))
		testkit.Elapse(t, 10*time.Second)
		packet, err := query(1, "s.micro.", dnsmessage.TypePTR, nil)
		if err != nil {
			t.Fatal(err)
		}
		net.take()
		for range 30_000 {
			bad.Ask(packet)
		}
		synctest.Wait()
		if n := len(matching(net.take(), "reply")); n > sendBurst {
			t.Errorf("%d answers were sent at once", n)
		}
		stats := h.Stats()
		if stats["answers_withheld"] == 0 || stats["packets_flooded"] == 0 {
			t.Errorf("counted %v", stats)
		}
		// A second later it answers others again.
		testkit.Elapse(t, time.Second)
		bad.Ask(packet)
		synctest.Wait()
		if n := len(matching(net.take(), "reply")); n != 1 {
			t.Errorf("%d answers were sent", n)
		}
	})
}

// Nodes of one host share the host's name, whatever their addresses.
func TestAddressesOfOneHostInOnePacket(t *testing.T) {
	b := newBuilder(response(), true)
	b.do(b.b.StartAnswers())
	for i, addr := range []string{"10.0.0.1:1", "10.0.0.2:2", "[2001:db8::1]:3"} {
		b.node(node{fmt.Sprintf("n%d.s.micro.", i), "vm.", netip.MustParseAddrPort(addr), []string{"00"}}, TTL)
	}
	packet, err := b.packet()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := outline(packet), "n0.s.micro. at 10.0.0.1:1 for 2m0s n1.s.micro. at 10.0.0.2:2 for 2m0s n2.s.micro. at [2001:db8::1]:3 for 2m0s"; got != want {
		t.Errorf("read %s, want %s", got, want)
	}
}
