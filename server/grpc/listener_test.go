package grpc_test

import (
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// What is registered is of the family that the listener takes.
func TestAdvertisedAddressFitsTheListener(t *testing.T) {
	for network, address := range map[string]string{"tcp4": "0.0.0.0:0", "tcp6": "[::]:0"} {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Logf("%s: %v", network, err)
			continue
		}
		f := start(t, sgrpc.Listener(l), sgrpc.MaxConn(5))
		got := f.registered(t).Nodes[0].Address
		ap, err := netip.ParseAddrPort(got)
		if err != nil || ap.Addr().Is4() != (network == "tcp4") {
			t.Errorf("a listener of %s is registered as %s, %v", network, got, err)
			continue
		}
		c, err := net.Dial("tcp", got)
		if err != nil {
			t.Errorf("a listener of %s: %v", network, err)
			continue
		}
		c.Close()
	}
}

func TestASocketIsNoAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := newServer(t, sgrpc.Listener(l))
	if err := f.server.Start(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "server.Advertise") {
		t.Errorf("Start: %v, want an error that says how to advertise a TCP address", err)
	}
	// The listener is still the program's, and serves with an address that leads there.
	f = start(t, sgrpc.Listener(l), server.Advertise("proxy.example:80"))
	if got := f.registered(t).Nodes[0].Address; got != "proxy.example:80" {
		t.Errorf("the address is %q", got)
	}
}
