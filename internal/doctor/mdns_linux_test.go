package doctor

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

// Variables that tell this test program what to do on the host that it is on.
const (
	hostVariable = "ROLLCALL_DOCTOR_MULTICAST" // write findings to the file
	holdVariable = "ROLLCALL_DOCTOR_HOLD"      // take the port of multicast DNS
)

// TestMulticastOfThisHost is no test but what examineOn runs on another host.
func TestMulticastOfThisHost(t *testing.T) {
	path := os.Getenv(hostVariable)
	if path == "" {
		return
	}
	text, err := json.Marshal(ExamineMulticast(t.Context(), nil))
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestHoldThePort is no test either: it shares the port with nobody until it is
// killed.
func TestHoldThePort(t *testing.T) {
	if os.Getenv(holdVariable) == "" {
		return
	}
	c, err := net.ListenPacket("udp", ":5353")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("holding")
	for {
		if _, _, err := c.ReadFrom(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
}

// examineOn returns what is found on a host of the test.
func examineOn(t *testing.T, host *testkit.Netns) []Finding {
	t.Helper()
	path := t.TempDir() + "/findings"
	cmd := host.Command(os.Args[0], "-test.run=^TestMulticastOfThisHost$")
	cmd.Env = append(os.Environ(), hostVariable+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []Finding
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		t.Logf("%s %s: %s [%s] %s", f.Level, f.Subject, f.Cause, f.Code, f.Fix)
	}
	return all
}

func TestMulticast(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(t *testing.T, host *testkit.Netns)
		want []string // findings that are not ok
		says map[string][]string
	}{
		{"IPv4 and IPv6", func(t *testing.T, host *testkit.Netns) {
			testkit.Bridge(t, "eth0", host)
			host.AddAddr(t, "eth0", "10.1.0.1/24")
		}, nil, map[string][]string{"mdns.heard": {"eth0 IPv4", "224.0.0.251:5353"}, "mdns.usable": {"micro list services"}}},
		{"IPv4 alone", func(t *testing.T, host *testkit.Netns) {
			host.WithoutIPv6(t)
			testkit.Bridge(t, "eth0", host)
			host.AddAddr(t, "eth0", "10.1.0.1/24")
		}, nil, map[string][]string{"mdns.heard": {"eth0 IPv4"}}},
		{"loopback alone", func(*testing.T, *testkit.Netns) {}, []string{"warning mdns.loopback_alone"}, nil},
		{"nothing", func(t *testing.T, host *testkit.Netns) {
			host.IP(t, "link", "set", "lo", "down")
		}, []string{"problem mdns.unusable"}, map[string][]string{"mdns.unusable": {"micro server", "--registry=etcd"}}},
		{"an interface without address", func(t *testing.T, host *testkit.Netns) {
			host.WithoutIPv6(t)
			testkit.Bridge(t, "eth0", host)
		}, []string{"warning mdns.loopback_alone", "warning mdns.no_address"}, map[string][]string{"mdns.no_address": {"ip addr add ADDRESS dev eth0"}}},
		{"a firewall drops what comes", func(t *testing.T, host *testkit.Netns) {
			host.WithoutIPv6(t)
			testkit.Bridge(t, "eth0", host)
			host.AddAddr(t, "eth0", "10.1.0.1/24")
			host.Drop(t, "iifname eth0 udp dport 5353")
		}, []string{"warning mdns.loopback_alone", "warning mdns.not_heard"},
			map[string][]string{"mdns.not_heard": {"eth0 IPv4", "firewall", "UDP port 5353"}, "mdns.loopback_alone": {"other hosts are not found", "micro server"}}},
		{"a firewall drops everything", func(t *testing.T, host *testkit.Netns) {
			testkit.Bridge(t, "eth0", host)
			host.AddAddr(t, "eth0", "10.1.0.1/24")
			host.Drop(t, "udp dport 5353")
		}, slices.Concat([]string{"problem mdns.unusable"}, slices.Repeat([]string{"warning mdns.not_sent"}, 4)), map[string][]string{"mdns.not_sent": {"operation not permitted"}}},
		{"somebody holds the port", func(t *testing.T, host *testkit.Netns) {
			testkit.Bridge(t, "eth0", host)
			host.AddAddr(t, "eth0", "10.1.0.1/24")
			holder := host.Command(os.Args[0], "-test.run=^TestHoldThePort$")
			holder.Env = append(os.Environ(), holdVariable+"=yes")
			testkit.StartProcess(t, holder).Says(t, "holding")
		}, []string{"problem mdns.unusable", "warning mdns.port_taken", "warning mdns.port_taken"}, map[string][]string{"mdns.port_taken": {"ss -lunp"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			host := testkit.NewNetns(t)
			tc.make(t, host)
			all := examineOn(t, host)
			want(t, all, tc.want...)
			for code, texts := range tc.says {
				says(t, all, code, texts...)
			}
		})
	}
}
