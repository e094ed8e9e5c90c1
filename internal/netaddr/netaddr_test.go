package netaddr

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func addrs(texts ...string) []netip.Addr {
	var out []netip.Addr
	for _, t := range texts {
		out = append(out, netip.MustParseAddr(t))
	}
	return out
}

func host(route map[string]string, ifaces ...Interface) Host {
	return Host{
		Interfaces: func() ([]Interface, error) { return ifaces, nil },
		Route: func(_ context.Context, to string) (netip.Addr, error) {
			if a, ok := route[to]; ok {
				return netip.ParseAddr(a)
			}
			return netip.Addr{}, errors.New("no route")
		},
	}
}

func TestAdvertise(t *testing.T) {
	lo := Interface{Name: "lo", Loopback: true, Addrs: addrs("127.0.0.1", "::1")}
	eth := Interface{Name: "eth0", Addrs: addrs("fd00::2", "10.1.2.3", "fe80::1")}
	pub := Interface{Name: "eth1", Addrs: addrs("203.0.113.9")}
	docker := Interface{Name: "docker0", Addrs: addrs("172.17.0.1")}
	tun := Interface{Name: "vpn", PointToPoint: true, Addrs: addrs("10.8.0.6")}
	six := Interface{Name: "eth0", Addrs: addrs("2001:db8::7")}

	for _, tc := range []struct {
		name, advertise, bound string
		host                   Host
		registry               []string
		iface, cidr            string
		ipv6Only               bool
		want                   string
		loopback               bool
	}{
		{name: "given", advertise: "api.example:90", bound: "[::]:80", host: host(nil, lo), want: "api.example:90"},
		{name: "given without a port", advertise: "api.example", bound: "[::]:80", host: host(nil, lo), want: "api.example:80"},
		{name: "given as bare IPv6", advertise: "2001:db8::1", bound: "[::]:80", host: host(nil, lo), want: "[2001:db8::1]:80"},
		{name: "given as wildcard", advertise: ":90", bound: "[::]:80", host: host(nil, lo, eth), want: "10.1.2.3:90"},
		{name: "bound to a host", bound: "127.0.0.1:80", host: host(nil, lo, eth), want: "127.0.0.1:80"},
		{name: "private before public", bound: "[::]:80", host: host(nil, lo, pub, eth), want: "10.1.2.3:80"},
		{name: "public before loopback", bound: "0.0.0.0:80", host: host(nil, lo, pub), want: "203.0.113.9:80"},
		{name: "bridge after public", bound: ":80", host: host(nil, lo, docker, pub), want: "203.0.113.9:80"},
		{name: "tunnel after ordinary", bound: ":80", host: host(nil, tun, eth), want: "10.1.2.3:80"},
		{name: "bridge before loopback", bound: ":80", host: host(nil, lo, docker), want: "172.17.0.1:80"},
		{name: "route wins", bound: ":80", host: host(map[string]string{"r:1": "203.0.113.9"}, lo, eth, pub), registry: []string{"r:1"}, want: "203.0.113.9:80"},
		{name: "loopback route does not", bound: ":80", host: host(map[string]string{"r:1": "127.0.0.1"}, lo, eth), registry: []string{"r:1"}, want: "10.1.2.3:80"},
		{name: "second route", bound: ":80", host: host(map[string]string{"s:1": "203.0.113.9"}, lo, eth, pub), registry: []string{"r:1", "s:1"}, want: "203.0.113.9:80"},
		{name: "route over a bridge", bound: ":80", host: host(map[string]string{"r:1": "172.17.0.1"}, lo, docker, eth), registry: []string{"r:1"}, want: "10.1.2.3:80"},
		{name: "route over a tunnel, and nothing else", bound: ":80", host: host(map[string]string{"r:1": "10.8.0.6"}, lo, docker, tun), registry: []string{"r:1"}, want: "10.8.0.6:80"},
		{name: "interface", bound: ":80", host: host(nil, lo, eth, pub), iface: "eth1", want: "203.0.113.9:80"},
		{name: "interface, even a tunnel", bound: ":80", host: host(nil, lo, eth, tun), iface: "vpn", want: "10.8.0.6:80"},
		{name: "interface before route", bound: ":80", host: host(map[string]string{"r:1": "203.0.113.9"}, lo, eth, pub), registry: []string{"r:1"}, iface: "eth0", want: "10.1.2.3:80"},
		{name: "network", bound: ":80", host: host(nil, lo, eth, pub), cidr: "203.0.113.0/24", want: "203.0.113.9:80"},
		{name: "IPv6 network", bound: ":80", host: host(nil, lo, eth, pub), cidr: "fd00::/8", want: "[fd00::2]:80"},
		{name: "network and interface", bound: ":80", host: host(nil, lo, eth), cidr: "fd00::/8", iface: "eth0", want: "[fd00::2]:80"},
		{name: "given before interface", advertise: "a:1", bound: ":80", host: host(nil, lo, eth, pub), iface: "eth1", want: "a:1"},
		{name: "bound before interface", bound: "10.1.2.3:80", host: host(nil, lo, eth, pub), iface: "eth1", want: "10.1.2.3:80"},
		{name: "provider's space", bound: ":80", host: host(nil, lo, Interface{Name: "eth0", Addrs: addrs("100.64.3.4")}), want: "100.64.3.4:80"},
		{name: "listener of IPv4", bound: "0.0.0.0:80", host: host(nil, lo, pub, eth), want: "10.1.2.3:80"},
		{name: "listener of IPv4, private IPv6 and public IPv4", bound: "0.0.0.0:80", host: host(nil, lo, Interface{Name: "eth0", Addrs: addrs("fd00::2", "203.0.113.9")}), want: "203.0.113.9:80"},
		{name: "listener of IPv4, the registry over IPv6", bound: "0.0.0.0:80", host: host(map[string]string{"r:1": "fd00::2"}, lo, eth), registry: []string{"r:1"}, want: "10.1.2.3:80"},
		{name: "listener of IPv4 on a host without", bound: "0.0.0.0:80", host: host(nil, lo, six), want: "127.0.0.1:80", loopback: true},
		{name: "listener of IPv6", bound: "[::]:80", ipv6Only: true, host: host(nil, lo, eth, pub), want: "[fd00::2]:80"},
		{name: "private IPv6 and public IPv4", bound: "[::]:80", host: host(nil, lo, Interface{Name: "eth0", Addrs: addrs("fd00::2", "203.0.113.9")}), want: "203.0.113.9:80"},
		{name: "the registry over IPv6", bound: "[::]:80", host: host(map[string]string{"r:1": "fd00::2"}, lo, eth), registry: []string{"r:1"}, want: "[fd00::2]:80"},
		{name: "IPv6 before a bridge", bound: "[::]:80", host: host(nil, lo, docker, six), want: "[2001:db8::7]:80"},
		{name: "a port for a bound host", advertise: ":90", bound: "10.1.2.3:80", host: host(nil, lo, eth, pub), want: "10.1.2.3:90"},
		{name: "given for a socket", advertise: "a:90", bound: "/run/x:y.sock", host: host(nil, lo), want: "a:90"},
		{name: "IPv6 only", bound: "[::]:80", host: host(nil, lo, six), want: "[2001:db8::7]:80"},
		{name: "loopback only", bound: "[::]:80", host: host(nil, lo), want: "127.0.0.1:80", loopback: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := tc.host.Advertise(t.Context(), Wish{
				Advertise: tc.advertise, Bound: tc.bound, Registry: tc.registry, Interface: tc.iface, CIDR: tc.cidr, IPv6Only: tc.ipv6Only,
			})
			if err != nil {
				t.Fatal(err)
			}
			if c.Address != tc.want || c.Loopback != tc.loopback || c.Reason == "" {
				t.Fatalf("got %+v, want %q (loopback %v)", c, tc.want, tc.loopback)
			}
		})
	}
}

func TestAdvertiseErrors(t *testing.T) {
	if _, err := host(nil).Advertise(t.Context(), Wish{Bound: ":80"}); err == nil || !strings.Contains(err.Error(), "--server_advertise") {
		t.Errorf("no interface: got %v", err)
	}
	if _, err := host(nil).Advertise(t.Context(), Wish{Bound: ":80", Advertise: "a:b:c"}); err == nil || !strings.Contains(err.Error(), `"a:b:c"`) {
		t.Errorf("malformed: got %v", err)
	}
}

func TestNothingIsLeftToChoose(t *testing.T) {
	h := host(nil, Interface{Name: "eth0", Addrs: addrs("10.1.2.3")})
	for _, tc := range []struct {
		wish Wish
		want []string
	}{
		{Wish{Bound: ":80", Interface: "eth7"}, []string{"of interface eth7", "10.1.2.3 (private address of eth0)"}},
		{Wish{Bound: ":80", CIDR: "192.168.0.0/16"}, []string{"within 192.168.0.0/16", "10.1.2.3"}},
		{Wish{Bound: ":80", CIDR: "192.168.0.0"}, []string{`"192.168.0.0"`, "10.0.0.0/8"}},
	} {
		_, err := h.Advertise(t.Context(), tc.wish)
		for _, text := range tc.want {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%+v: got %v, want %q", tc.wish, err, text)
			}
		}
	}
}

func TestAChoiceSaysWhyOfItsFamily(t *testing.T) {
	eth := Interface{Name: "eth0", Addrs: addrs("fd00::2", "10.1.2.3")}
	for _, tc := range []struct {
		wish  Wish
		route map[string]string
		want  string
	}{
		{Wish{Bound: "[::]:80"}, nil, "10.1.2.3:80: the best, IPv4 going before IPv6, among"},
		{Wish{Bound: "0.0.0.0:80"}, nil, "10.1.2.3:80: the only one of IPv4, which alone the listener takes, among"},
		{Wish{Bound: "[::]:80", Registry: []string{"r:1"}}, map[string]string{"r:1": "fd00::2"}, "[fd00::2]:80: on the route to the registry at r:1, which is reached over IPv6, among"},
	} {
		c, err := host(tc.route, eth).Advertise(t.Context(), tc.wish)
		if err != nil || !strings.HasPrefix(c.String(), tc.want) {
			t.Errorf("%+v: got %s, %v", tc.wish, c, err)
		}
	}
	_, err := host(nil, Interface{Name: "eth0", Addrs: addrs("fd00::2")}).Advertise(t.Context(), Wish{Bound: "0.0.0.0:80"})
	if err == nil || !strings.Contains(err.Error(), "IPv4") {
		t.Errorf("nothing of the family: %v", err)
	}
}

func TestListeners(t *testing.T) {
	for network, want := range map[string]struct {
		address  string
		ipv6Only bool
	}{"tcp4": {"0.0.0.0:0", false}, "tcp": {":0", false}, "tcp6": {"[::]:0", true}} {
		l, err := net.Listen(network, want.address)
		if err != nil {
			if network == "tcp6" {
				t.Logf("this host has no IPv6: %v", err)
				continue
			}
			t.Fatal(err)
		}
		if got := IPv6Only(l); got != want.ipv6Only {
			t.Errorf("%s: IPv6 only is %v", network, got)
		}
		if err := CheckListener(l.Addr(), ""); err != nil {
			t.Errorf("%s: %v", network, err)
		}
		l.Close()
	}
	socket := &net.UnixAddr{Net: "unix", Name: "/run/a:1.sock"}
	for _, advertise := range []string{"", ":80", "host", "host:0", "0.0.0.0:80"} {
		if err := CheckListener(socket, advertise); err == nil || !strings.Contains(err.Error(), "server.Advertise") || !strings.Contains(err.Error(), `"/run/a:1.sock"`) {
			t.Errorf("a socket, advertised as %q: %v", advertise, err)
		}
	}
	if err := CheckListener(socket, "host:80"); err != nil {
		t.Errorf("a socket behind a proxy: %v", err)
	}
}

// elsewhere is an address that is not of TCP and yet looks like one.
type elsewhere struct{ network, text string }

func (a elsewhere) Network() string { return a.network }
func (a elsewhere) String() string  { return a.text }

func TestListenersThatNobodyCanDial(t *testing.T) {
	for _, a := range []elsewhere{{"unixpacket", "run:80"}, {"unix", "@x:80"}, {"vsock", "host(2):1024"}, {"bufconn", "bufconn"}, {"pipe", `\\.\pipe\x:1`}, {"tcp", ":"}} {
		if err := CheckListener(a, ""); err == nil || !strings.Contains(err.Error(), a.network) {
			t.Errorf("%v: %v", a, err)
		}
	}
}

func TestAChoiceTellsWhichAmongWhichAndWhy(t *testing.T) {
	h := host(map[string]string{"r:1": "10.1.2.3"}, Interface{Name: "eth1", Addrs: addrs("10.9.9.9")}, Interface{Name: "eth0", Addrs: addrs("10.1.2.3")})
	c, err := h.Advertise(t.Context(), Wish{Bound: ":80", Registry: []string{"r:1"}})
	want := "10.1.2.3:80: on the route to the registry at r:1, among 10.9.9.9 (private address of eth1), 10.1.2.3 (private address of eth0)"
	if err != nil || c.String() != want {
		t.Errorf("got %s, %v", c, err)
	}
}

func TestSystem(t *testing.T) {
	c, err := System().Advertise(t.Context(), Wish{Bound: "[::]:4242", Registry: []string{"127.0.0.1:2379"}})
	if err != nil {
		t.Fatal(err)
	}
	ap, err := netip.ParseAddrPort(c.Address)
	if err != nil || ap.Port() != 4242 || ap.Addr().IsUnspecified() {
		t.Fatalf("got %+v", c)
	}
}
