package mdns

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/rollcall-go/micro/internal/mdns/txt"
)

// golden reads hexadecimal digits, which stand on as many lines as there is need.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	packet, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// spelt returns a packet of v2 as ours writes it: the host's name stands in it twice,
// where v2 points from the owner of the address to the target of the SRV.
func spelt(t *testing.T, packet []byte) []byte {
	t.Helper()
	host := []byte("\x02vm\x00")
	before, after, ok := bytes.Cut(packet, host)
	if !ok || len(after) < 2 || after[0]&0xc0 != 0xc0 {
		t.Fatalf("no pointer to a host in %x", packet)
	}
	return bytes.Join([][]byte{before, after[2:]}, bytes.Repeat(host, 2))
}

// The golden files are answers of go-micro v2.9.1 on a host named vm. Ours read them,
// and are the same to the byte, for the same text, but for the name of the host.
func TestAnswersAreV2s(t *testing.T) {
	for _, tc := range []struct{ file, service, id, addr string }{
		{"small", "s", "s-1", "127.0.0.1:8080"},
		{"six", "six", "n.with.dots", "[fd77::2]:9000"},
		{"greeter", "go.micro.service.greeter", "go.micro.service.greeter-5f0b7c5a-9d7e-4f0c-8a49-6d9e5b8d7f31", "10.0.0.7:41234"},
	} {
		theirs := golden(t, tc.file)
		m, err := parse(theirs)
		if err != nil || len(m.nodes) != 1 {
			t.Fatalf("%s: read %+v, %v", tc.file, m, err)
		}
		n := m.nodes[0]
		if n.name != tc.id+"."+tc.service+".micro." || n.addr != netip.MustParseAddrPort(tc.addr) || n.ttl != TTL || n.target != "vm." {
			t.Errorf("%s: read %+v", tc.file, n)
		}
		if r, err := txt.Decode(n.text); err != nil || r.Service != tc.service {
			t.Errorf("%s: its text says %+v, %v", tc.file, r, err)
		}
		ours, err := answer(tc.service+".micro.", dnsmessage.TypePTR, n.node, TTL)
		if err != nil {
			t.Fatal(err)
		}
		if want := spelt(t, theirs); !bytes.Equal(ours, want) {
			t.Errorf("%s: ours is\n%x\nwant\n%x", tc.file, ours, want)
		}
	}
}

func TestListedNamesAreV2s(t *testing.T) {
	ours, err := answer("_services.micro.", dnsmessage.TypePTR, node{name: "s._services.micro.", target: "vm.", addr: netip.MustParseAddrPort("0.0.0.0:9999")}, TTL)
	if err != nil {
		t.Fatal(err)
	}
	if want := spelt(t, golden(t, "listed")); !bytes.Equal(ours, want) {
		t.Errorf("ours is\n%x\nwant\n%x", ours, want)
	}
}
