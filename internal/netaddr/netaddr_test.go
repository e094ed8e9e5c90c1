package netaddr

import (
	"errors"
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
		Route: func(to string) (netip.Addr, error) {
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
		towards                []string
		iface, cidr            string
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
		{name: "route wins", bound: ":80", host: host(map[string]string{"r:1": "203.0.113.9"}, lo, eth, pub), towards: []string{"r:1"}, want: "203.0.113.9:80"},
		{name: "loopback route does not", bound: ":80", host: host(map[string]string{"r:1": "127.0.0.1"}, lo, eth), towards: []string{"r:1"}, want: "10.1.2.3:80"},
		{name: "second route", bound: ":80", host: host(map[string]string{"s:1": "203.0.113.9"}, lo, eth, pub), towards: []string{"r:1", "s:1"}, want: "203.0.113.9:80"},
		{name: "route over a bridge", bound: ":80", host: host(map[string]string{"r:1": "172.17.0.1"}, lo, docker, eth), towards: []string{"r:1"}, want: "10.1.2.3:80"},
		{name: "route over a tunnel, and nothing else", bound: ":80", host: host(map[string]string{"r:1": "10.8.0.6"}, lo, docker, tun), towards: []string{"r:1"}, want: "10.8.0.6:80"},
		{name: "interface", bound: ":80", host: host(nil, lo, eth, pub), iface: "eth1", want: "203.0.113.9:80"},
		{name: "interface, even a tunnel", bound: ":80", host: host(nil, lo, eth, tun), iface: "vpn", want: "10.8.0.6:80"},
		{name: "interface before route", bound: ":80", host: host(map[string]string{"r:1": "203.0.113.9"}, lo, eth, pub), towards: []string{"r:1"}, iface: "eth0", want: "10.1.2.3:80"},
		{name: "network", bound: ":80", host: host(nil, lo, eth, pub), cidr: "203.0.113.0/24", want: "203.0.113.9:80"},
		{name: "IPv6 network", bound: ":80", host: host(nil, lo, eth, pub), cidr: "fd00::/8", want: "[fd00::2]:80"},
		{name: "network and interface", bound: ":80", host: host(nil, lo, eth), cidr: "fd00::/8", iface: "eth0", want: "[fd00::2]:80"},
		{name: "given before interface", advertise: "a:1", bound: ":80", host: host(nil, lo, eth, pub), iface: "eth1", want: "a:1"},
		{name: "bound before interface", bound: "10.1.2.3:80", host: host(nil, lo, eth, pub), iface: "eth1", want: "10.1.2.3:80"},
		{name: "provider's space", bound: ":80", host: host(nil, lo, Interface{Name: "eth0", Addrs: addrs("100.64.3.4")}), want: "100.64.3.4:80"},
		{name: "IPv6 only", bound: "[::]:80", host: host(nil, lo, six), want: "[2001:db8::7]:80"},
		{name: "loopback only", bound: "[::]:80", host: host(nil, lo), want: "127.0.0.1:80", loopback: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := tc.host.Advertise(Wish{
				Advertise: tc.advertise, Bound: tc.bound, Towards: tc.towards, Interface: tc.iface, CIDR: tc.cidr,
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
	if _, err := host(nil).Advertise(Wish{Bound: ":80"}); err == nil || !strings.Contains(err.Error(), "--server_advertise") {
		t.Errorf("no interface: got %v", err)
	}
	if _, err := host(nil).Advertise(Wish{Bound: ":80", Advertise: "a:b:c"}); err == nil || !strings.Contains(err.Error(), `"a:b:c"`) {
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
		_, err := h.Advertise(tc.wish)
		for _, text := range tc.want {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%+v: got %v, want %q", tc.wish, err, text)
			}
		}
	}
}

func TestAChoiceTellsWhichAmongWhichAndWhy(t *testing.T) {
	h := host(map[string]string{"r:1": "10.1.2.3"}, Interface{Name: "eth1", Addrs: addrs("10.9.9.9")}, Interface{Name: "eth0", Addrs: addrs("10.1.2.3")})
	c, err := h.Advertise(Wish{Bound: ":80", Towards: []string{"r:1"}})
	want := "10.1.2.3:80: on the route to the registry at r:1, among 10.9.9.9 (private address of eth1), 10.1.2.3 (private address of eth0)"
	if err != nil || c.String() != want {
		t.Errorf("got %s, %v", c, err)
	}
}

func TestSystem(t *testing.T) {
	c, err := System().Advertise(Wish{Bound: "[::]:4242", Towards: []string{"127.0.0.1:2379"}})
	if err != nil {
		t.Fatal(err)
	}
	ap, err := netip.ParseAddrPort(c.Address)
	if err != nil || ap.Port() != 4242 || ap.Addr().IsUnspecified() {
		t.Fatalf("got %+v", c)
	}
}
