package testkit

import (
	"fmt"
	"strings"
	"testing"
)

// Bridge joins hosts by a bridge, as a switch or an access point does: each gets an
// interface of this name, which is up and has no address but the link-local one of
// IPv6, if the host has IPv6. Addresses can be used at once.
func Bridge(t testing.TB, name string, hosts ...*Netns) {
	t.Helper()
	middle := NewNetns(t)
	middle.IP(t, "link", "add", "bridge", "type", "bridge")
	middle.IP(t, "link", "set", "bridge", "up")
	for i, h := range hosts {
		port := fmt.Sprintf("port%d", i)
		if err := runIP("link", "add", name, "netns", h.name, "type", "veth", "peer", "name", port, "netns", middle.name); err != nil {
			t.Fatal(err)
		}
		middle.IP(t, "link", "set", port, "master", "bridge", "up")
		// Otherwise the host asks for a second whether somebody else has the address.
		h.set(t, "net/ipv6/conf/"+name+"/accept_dad", "0")
		h.IP(t, "link", "set", name, "up")
	}
}

// WithoutIPv6 takes IPv6 from the host, its loopback interface included. Interfaces
// that are added later have none either.
func (n *Netns) WithoutIPv6(t testing.TB) {
	t.Helper()
	for _, of := range []string{"all", "default"} {
		n.set(t, "net/ipv6/conf/"+of+"/disable_ipv6", "1")
	}
}

// MulticastRoute sends multicast packets of IPv4 through an interface. Hosts with a
// default route need none. The loopback interface becomes one that can multicast,
// which by itself it is not.
func (n *Netns) MulticastRoute(t testing.TB, name string) {
	t.Helper()
	if name == "lo" {
		n.IP(t, "link", "set", "lo", "multicast", "on")
	}
	n.IP(t, "route", "add", "224.0.0.0/4", "dev", name)
}

// set writes a setting of the kernel for the namespace, if the kernel has it.
func (n *Netns) set(t testing.TB, setting, value string) {
	t.Helper()
	path := "/proc/sys/" + setting
	out, err := n.Command("sh", "-c", `[ ! -e "$0" ] || echo "$1" > "$0"`, path, value).CombinedOutput()
	if err != nil {
		t.Fatalf("set %s to %s: %v: %s", path, value, err, strings.TrimSpace(string(out)))
	}
}
