package testkit

import (
	"strings"
	"testing"
)

func TestNetns(t *testing.T) {
	a, b := NewNetns(t), NewNetns(t)
	a.Interface(t, "eth9", "192.0.2.1/24")
	a.Join(t, b, "eth0", []string{"10.1.0.1/24", "fd01::1/64"}, []string{"10.1.0.2/24", "fd01::2/64"})
	a.ChangeAddr(t, "eth9", "192.0.2.1/24", "192.0.2.2/24")
	out, err := a.Command("ip", "-br", "addr").CombinedOutput()
	if err != nil {
		t.Fatal(err, string(out))
	}
	for _, want := range []string{"10.1.0.1/24", "fd01::1/64", "192.0.2.2/24"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is missing:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "192.0.2.1/24") {
		t.Errorf("an address that was taken is there:\n%s", out)
	}
	if out, err := b.Command("ip", "route", "get", "10.1.0.1").CombinedOutput(); err != nil || !strings.Contains(string(out), "src 10.1.0.2") {
		t.Errorf("no way to the other host: %v\n%s", err, out)
	}
}

func TestBridge(t *testing.T) {
	a, b, old := NewNetns(t), NewNetns(t), NewNetns(t)
	old.WithoutIPv6(t)
	Bridge(t, "eth0", a, b, old)
	a.MulticastRoute(t, "eth0")
	old.MulticastRoute(t, "lo")
	a.AddAddr(t, "eth0", "10.2.0.1/24")
	b.AddAddr(t, "eth0", "fd02::2/64")
	for _, tc := range []struct {
		host      *Netns
		command   string
		want, not string
	}{
		{a, "ip -br addr show eth0", "10.2.0.1/24 fe80::", "DOWN"},
		{b, "ip -br addr show eth0", "fd02::2/64", "10.2."},
		{a, "ip route get 224.0.0.251", "dev eth0", "dev lo"},
		{old, "ip -br addr", "127.0.0.1", "::"},
		{old, "ip link show lo", "MULTICAST", "eth0"},
	} {
		args := strings.Fields(tc.command)
		out, err := tc.host.Command(args[0], args[1:]...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), tc.want) || strings.Contains(string(out), tc.not) {
			t.Errorf("%s: %v\n%swant %q and no %q", tc.command, err, out, tc.want, tc.not)
		}
	}
}
