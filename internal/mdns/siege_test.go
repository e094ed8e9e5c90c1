package mdns

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/mdns/txt"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// stranger is who sends what the tests make.
var stranger = netip.MustParseAddrPort("10.0.0.66:5353")

// The neighbour, whom no stranger may disturb, and our own node.
const (
	good = "good-1"
	mine = "mine-1"
)

// besieged is a host with a node of its own that follows the service "s" with one
// neighbour.
type besieged struct{ *host }

// besiege runs a test on one in time of its own.
func besiege(t *testing.T, test func(t *testing.T, b *besieged)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &besieged{newSegment().host(t)}
		b.publish(t, service("s", mine, "10.0.0.1:1"))
		b.browse(t, "s")
		b.hears(says(t, good, "10.0.0.2:1", TTL))
		if got := b.ids(t); !slices.Equal(got, []string{good, mine}) {
			t.Fatalf("before: %v", got)
		}
		test(t, b)
	})
}

// hears lets packets of the stranger come in, and waits until they were dealt with.
func (b *besieged) hears(packets ...[]byte) {
	for _, p := range packets {
		b.member.packets <- Packet{Data: p, From: stranger, Link: 1}
	}
	synctest.Wait()
}

// floods lets n packets come in, no more at a time than are read.
func (b *besieged) floods(t *testing.T, n int, packet func(i int) []byte) {
	t.Helper()
	for i := range n {
		b.member.packets <- Packet{Data: packet(i), From: stranger, Link: 1}
		if i%1000 == 999 {
			testkit.Elapse(t, time.Second/2)
		}
	}
	synctest.Wait()
}

// ids returns the ids of the nodes of "s" that the engine knows.
func (b *besieged) ids(t *testing.T) []string {
	t.Helper()
	v, err := b.Look("s")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range v.Services {
		for _, n := range s.Nodes {
			ids = append(ids, n.Id)
		}
	}
	slices.Sort(ids)
	return ids
}

// stands fails the test unless our node and the neighbour are known at their
// addresses.
func (b *besieged) stands(t *testing.T) {
	t.Helper()
	v, err := b.Look("s")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{good: "10.0.0.2:1", mine: "10.0.0.1:1"}
	for _, s := range v.Services {
		for _, n := range s.Nodes {
			if want[n.Id] == n.Address {
				delete(want, n.Id)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("%v are not known any more", want)
	}
}

// says is the announcement of a node of "s".
func says(t testing.TB, id, addr string, ttl time.Duration) []byte {
	t.Helper()
	text, err := plainText()
	if err != nil {
		t.Fatal(err)
	}
	return announces(t, id+".s.micro.", addr, text, ttl)
}

// plainText is the text of a node of "s": to write one takes longer than to read it.
var plainText = sync.OnceValues(func() ([]string, error) {
	return txt.Encode(txt.Record{Service: "s", Version: "1"})
})

func announces(t testing.TB, name, addr string, text []string, ttl time.Duration) []byte {
	t.Helper()
	packet, err := announcement(node{name: name, target: "vm.", addr: netip.MustParseAddrPort(addr), text: text}, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// deflated is JSON as a text, however wrong.
func deflated(t testing.TB, json string) []string {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write([]byte(json)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	digits := hex.EncodeToString(b.Bytes())
	var all []string
	for len(digits) > 255 {
		all, digits = append(all, digits[:255]), digits[255:]
	}
	return append(all, digits)
}

// rawPacket is a header and bytes behind it, for packets that no library would write.
func rawPacket(flags uint16, questions, answers int, body ...byte) []byte {
	p := make([]byte, 12, 12+len(body))
	binary.BigEndian.PutUint16(p[2:], flags)
	binary.BigEndian.PutUint16(p[4:], uint16(questions))
	binary.BigEndian.PutUint16(p[6:], uint16(answers))
	return append(p, body...)
}

const answering = 0x8400 // flags of an answer

// hostile are packets of which nothing may come.
func hostile(t testing.TB) map[string][]byte {
	t.Helper()
	whole := says(t, "evil", "10.0.0.66:1", TTL)
	loop := []byte{0xc0, 12}
	packets := map[string][]byte{
		"nothing":                {},
		"one byte":               {0},
		"a header alone":         rawPacket(answering, 0, 0),
		"noise":                  bytes.Repeat([]byte{0xa5, 0x5a, 0xff}, 300),
		"9 KB of noise":          bytes.Repeat([]byte{3, 'a', 'b', 'c', 0x80}, 1800),
		"64 KB of one string":    rawPacket(answering, 0, 1, append([]byte{0, 0, 16, 0, 1, 0, 0, 0, 9, 0xff, 0xf0}, bytes.Repeat([]byte{255}, 65_000)...)...),
		"half a packet":          whole[:len(whole)/2],
		"one byte too few":       whole[:len(whole)-1],
		"65,535 answers":         rawPacket(answering, 0, 65535, 0, 0, 16, 0, 1, 0, 0, 0, 1, 0, 0),
		"a pointer to itself":    rawPacket(answering, 0, 1, append(loop, 0, 12, 0, 1, 0, 0, 0, 120, 0, 2, 0xc0, 12)...),
		"two pointers in a ring": rawPacket(0, 1, 0, 0xc0, 14, 0xc0, 12, 0, 12, 0, 1),
		"a pointer forward":      rawPacket(0, 1, 0, 0xc0, 200, 0, 12, 0, 1),
		"a label of 255":         rawPacket(0, 1, 0, append([]byte{255}, bytes.Repeat([]byte{'a'}, 300)...)...),
		"a name without an end":  rawPacket(0, 1, 0, bytes.Repeat([]byte{1, 'a'}, 400)...),
		"a failure":              rawPacket(answering|3, 0, 0),
		"another operation":      rawPacket(answering|5<<11, 0, 0),
		"many questions":         rawPacket(0, 60000, 0, bytes.Repeat([]byte{1, 's', 5, 'm', 'i', 'c', 'r', 'o', 0, 0, 12, 0, 1}, 600)...),
		"a port of 0":            announces(t, "evil.s.micro.", "10.0.0.66:0", deflated(t, `{"Service":"s"}`), TTL),
		"an address of ours":     announces(t, "evil.s.micro.", "127.0.0.1:22", deflated(t, `{"Service":"s"}`), TTL),
		"no address":             announces(t, "evil.s.micro.", "0.0.0.0:22", deflated(t, `{"Service":"s"}`), TTL),
		"another domain":         announces(t, "evil.s.local.", "10.0.0.66:1", deflated(t, `{"Service":"s"}`), TTL),
		"another service":        announces(t, "evil.s.micro.", "10.0.0.66:1", deflated(t, `{"Service":"t"}`), TTL),
		"our node elsewhere":     says(t, mine, "10.0.0.66:1", TTL),
		"our node's goodbye":     says(t, mine, "10.0.0.66:1", 0),
		"the goodbye of nobody":  says(t, "evil", "10.0.0.66:1", 0),
	}
	for name, text := range map[string][]string{
		"no digits":       {"hello"},
		"no zlib":         {"00"},
		"no JSON":         deflated(t, "hello"),
		"null":            deflated(t, "null"),
		"a list":          deflated(t, "[]"),
		"a bomb":          deflated(t, strings.Repeat(" ", 4_000_000)),
		"a deep one":      deflated(t, strings.Repeat("[", 1_000_000)),
		"many elements":   deflated(t, `{"Service":"s","Endpoints":[`+strings.Repeat("{},", 300_000)+`{}]}`),
		"deep endpoints":  deflated(t, `{"Service":"s","Endpoints":[{"Request":`+strings.Repeat(`{"values":[`, 36)+strings.Repeat("]}", 36)+`}]}`),
		"control letters": deflated(t, `{"Service":"s","Version":"\u001b[2J"}`),
		"empty":           {""},
	} {
		packets["a text: "+name] = announces(t, "evil.s.micro.", "10.0.0.66:1", text, TTL)
	}
	for name, id := range map[string]string{"control letters": "a\x1b[2J", "a blank": " a", "no UTF-8": "\xff"} {
		packets["an id: "+name] = says(t, id, "10.0.0.66:1", TTL)
	}
	return packets
}

// TestHostilePackets: of none of them does anything come, and neither our node nor
// the neighbour is disturbed.
func TestHostilePackets(t *testing.T) {
	for name, packet := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			besiege(t, func(t *testing.T, b *besieged) {
				b.hears(packet, packet, packet)
				if got := b.ids(t); !slices.Equal(got, []string{good, mine}) {
					t.Errorf("known are %q", got)
				}
				b.stands(t)
				b.hears(says(t, "late", "10.0.0.3:1", TTL))
				if got := b.ids(t); !slices.Contains(got, "late") {
					t.Errorf("afterwards, nobody is heard: %q", got)
				}
			})
		})
	}
}

// TestFloodOfNodes: 100,000 nodes that do not exist. Bound: 10,000 are kept, and 64 MB
// by the engine's count, of which the truth is a quarter more at most, whatever they
// say.
func TestFloodOfNodes(t *testing.T) {
	long := map[string]string{}
	state := uint32(1)
	for len(long) < 40 {
		var v strings.Builder
		for range 100 {
			state = state*1664525 + 1013904223
			v.WriteByte('a' + byte(state>>24)%26)
		}
		long[fmt.Sprint(len(long))] = v.String()
	}
	// One string for each digit, and many without any.
	short := append(strings.Split(deflated(t, `{"Service":"s"}`)[0], ""), make([]string, 5000)...)
	for _, tc := range []struct {
		name   string
		record txt.Record
		text   []string // nil: that of the record
		flood  int      // more than is kept
		weight int      // is kept; less than there may be takes less to reach
	}{
		{"small", txt.Record{Service: "s", Version: "1"}, nil, 100_000, maxWeight},
		{"large", txt.Record{Service: "s", Version: "1", Metadata: long}, nil, 2_000, maxWeight / 4},
		{"made of endpoints", txt.Record{Service: "s", Version: "1", Endpoints: slices.Repeat([]*registry.Endpoint{{Name: "E"}}, 5000)}, nil, 40, maxWeight / 8},
		{"made of maps", txt.Record{Service: "s", Version: "1", Endpoints: slices.Repeat([]*registry.Endpoint{{Metadata: map[string]string{"": ""}}}, 5000)}, nil, 12, maxWeight / 8},
		{"made of empty maps", txt.Record{Service: "s", Version: "1", Endpoints: slices.Repeat([]*registry.Endpoint{{Metadata: map[string]string{}}}, 5000)}, nil, 30, maxWeight / 8},
		{"made of short strings", txt.Record{}, short, 500, maxWeight / 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, err := tc.text, error(nil)
			if text == nil {
				text, err = txt.Encode(tc.record)
			}
			if err != nil {
				t.Fatal(err)
			}
			besiege(t, func(t *testing.T, b *besieged) {
				b.bounds.weight = tc.weight
				before := heapInUse()
				evil := announces(t, "evil-"+serial+".s.micro.", "10.0.0.66:1", text, TTL)
				b.floods(t, tc.flood, func(i int) []byte { return numbered(evil, i) })
				after := heapInUse()
				kept := len(b.ids(t))
				t.Logf("measured: %d of %d nodes kept, %d MB", kept, tc.flood, (after-before)>>20)
				if kept > maxNodes+1 {
					t.Errorf("%d nodes are kept, at most %d may", kept, maxNodes)
				}
				if after > before && after-before > uint64(tc.weight)*5/4 {
					t.Errorf("they take %d MB, at most %d may", (after-before)>>20, tc.weight*5/4>>20)
				}
				if b.Stats()["records_refused"] == 0 {
					t.Error("none was refused: nothing was disturbed")
				}
				b.stands(t)
			})
		})
	}
}

// serial stands in a packet for the number of a node that does not exist.
const serial = "serial"

// numbered returns the packet with another number.
func numbered(packet []byte, n int) []byte {
	return bytes.ReplaceAll(packet, []byte(serial), fmt.Appendf(nil, "%06d", n))
}

// heapInUse returns how much memory is in use.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestFloodOfNames: 20,000 services that do not exist, while all are listed. Bound:
// 1,000 names are kept, and other services can still be looked for.
func TestFloodOfNames(t *testing.T) {
	besiege(t, func(t *testing.T, b *besieged) {
		b.browse(t, "")
		evil := announces(t, "evil-"+serial+"._services.micro.", "0.0.0.0:9999", nil, TTL)
		b.floods(t, 20_000, func(i int) []byte { return numbered(evil, i) })
		b.Engine.mu.Lock()
		listed, browsed := len(b.listed), len(b.browsed)
		b.Engine.mu.Unlock()
		t.Logf("measured: %d names, %d services asked for", listed, browsed)
		if listed > maxListed || browsed > maxBrowsed {
			t.Errorf("%d names are kept and %d services asked for", listed, browsed)
		}
		b.stands(t)
		b.browse(t, "wanted")
	})
}

// TestChurn: 20,000 nodes come and say goodbye. Bound: what is remembered of them
// takes less than 64 MB.
func TestChurn(t *testing.T) {
	besiege(t, func(t *testing.T, b *besieged) {
		before := heapInUse()
		come, leave := says(t, "evil-"+serial, "10.0.0.66:1", TTL), says(t, "evil-"+serial, "10.0.0.66:1", 0)
		b.floods(t, 40_000, func(i int) []byte { return numbered([][]byte{come, leave}[i%2], i/2) })
		after := heapInUse()
		b.Engine.mu.Lock()
		gone := len(b.gone)
		b.Engine.mu.Unlock()
		t.Logf("measured: %d remembered, %d MB", gone, int64(after-before)>>20)
		if gone > maxNodes {
			t.Errorf("%d nodes that went are remembered", gone)
		}
		if after > before && after-before > 64<<20 {
			t.Errorf("they take %d MB", (after-before)>>20)
		}
		b.stands(t)
	})
}

// TestChurnThatNobodyLooksAt: nodes come and go, and nobody asks for a list, as where a
// program only watches. Bound: nothing of them stays.
func TestChurnThatNobodyLooksAt(t *testing.T) {
	besiege(t, func(t *testing.T, b *besieged) {
		before := heapInUse()
		b.Engine.mu.Lock()
		for i := range 200_000 {
			id := fmt.Sprint("evil-", i)
			s := service("s", id, "10.0.0.66:1")
			s.Version = fmt.Sprint(i / 10)
			b.put(s)
			b.remove(record.ID{Service: "s", Node: id}, deleted, time.Now())
		}
		b.Engine.mu.Unlock()
		if after := heapInUse(); after > before && after-before > 16<<20 {
			t.Errorf("%d MB are left", (after-before)>>20)
		}
		b.stands(t)
	})
}

// TestRestlessNodes: a thousand services have nodes that live for a second each, so that
// each is asked for again all the time. Bound: of each, one question waits.
func TestRestlessNodes(t *testing.T) {
	besiege(t, func(t *testing.T, b *besieged) {
		now := time.Now()
		b.Engine.mu.Lock()
		for i := range 1000 {
			restless, err := b.topic(fmt.Sprint("r", i), now)
			if err != nil {
				t.Fatal(err)
			}
			for range 200 {
				b.askSoon(restless, now)
			}
		}
		planned := len(b.agenda.items)
		b.Engine.mu.Unlock()
		if planned > 5000 {
			t.Errorf("%d things are planned", planned)
		}
		// Others need not wait until all that was asked.
		b.publish(t, service("s", "new", "10.0.0.1:2"))
		testkit.Elapse(t, time.Second)
		if len(matching(matching(b.member.on.take(), "announce"), "new.s")) == 0 {
			t.Error("a node that came was not announced")
		}
	})
}

// TestForgedQuestions: what is asked in the name of a host elsewhere is not answered to
// it, only to the segment, once a second.
func TestForgedQuestions(t *testing.T) {
	besiege(t, func(t *testing.T, b *besieged) {
		testkit.Elapse(t, 10*time.Second)
		b.member.on.take()
		for _, name := range []string{"s.micro.", "_services.micro.", "_services._dns-sd._udp.micro.", mine + ".s.micro."} {
			packet, err := query(1, name, anyType, nil)
			if err != nil {
				t.Fatal(err)
			}
			for range 100 {
				b.member.packets <- Packet{Data: packet, From: netip.MustParseAddrPort("198.51.100.1:53"), Far: true}
			}
		}
		synctest.Wait()
		if sent := b.member.on.take(); len(sent) != 1 || !strings.Contains(sent[0], "announce "+mine) {
			t.Errorf("sent was %q", sent)
		}
	})
}

// TestTwoNodesOfOneID: another host has a node with the id of ours. It is told once a
// minute at most; when the other leaves, ours says at once that it is there.
func TestTwoNodesOfOneID(t *testing.T) {
	besiege(t, func(t *testing.T, b *besieged) {
		for range 100 {
			b.hears(says(t, mine, "10.0.0.66:1", TTL))
		}
		if len(b.warned) != 1 || !strings.Contains(b.warned[0], mine) || !strings.Contains(b.warned[0], "10.0.0.66") {
			t.Errorf("%d lines: %q", len(b.warned), b.warned)
		}
		testkit.Elapse(t, 10*time.Second)
		b.member.on.take()
		b.hears(says(t, mine, "10.0.0.66:1", 0))
		testkit.Elapse(t, time.Second)
		if len(matching(matching(b.member.on.take(), "announce"), mine)) == 0 {
			t.Error("nobody was told that our node is still there")
		}
		b.stands(t)
	})
}
