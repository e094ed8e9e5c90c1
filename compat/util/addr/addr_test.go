package addr_test

import (
	"net"
	"slices"
	"testing"

	"github.com/rollcall-go/micro/compat/util/addr"
)

func TestLocal(t *testing.T) {
	ips := addr.IPs()
	if !slices.Contains(ips, "127.0.0.1") {
		t.Fatalf("the addresses of this host are %v", ips)
	}
	for _, local := range append(ips, "localhost", "localhost:80", "127.0.0.1:80") {
		if !addr.IsLocal(local) {
			t.Errorf("%s is not local", local)
		}
	}
	for _, other := range []string{"192.0.2.1", "192.0.2.1:80", "example.com", ""} {
		if addr.IsLocal(other) {
			t.Errorf("%s is local", other)
		}
	}
}

func TestExtract(t *testing.T) {
	if got, err := addr.Extract("192.0.2.1"); err != nil || got != "192.0.2.1" {
		t.Errorf("got %s, %v", got, err)
	}
	for _, every := range []string{"", "0.0.0.0", "::", "[::]"} {
		got, err := addr.Extract(every)
		if err != nil || net.ParseIP(got) == nil || !addr.IsLocal(got) {
			t.Errorf("%q: got %s, %v", every, got, err)
		}
	}
}

func TestAppendPrivateBlocks(t *testing.T) {
	addr.AppendPrivateBlocks("127.0.0.0/8", "none")
	if got, err := addr.Extract(""); err != nil || !addr.IsLocal(got) {
		t.Errorf("got %s, %v", got, err)
	}
}
