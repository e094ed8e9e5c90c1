package faults

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
)

// neighbours makes hosts on one bridge that have no IPv6 and no server of a
// registry.
func neighbours(t *testing.T, n int) []*testkit.Netns {
	t.Helper()
	var all []*testkit.Netns
	for range n {
		h := testkit.NewNetns(t)
		h.WithoutIPv6(t)
		all = append(all, h)
	}
	testkit.Bridge(t, wire, all...)
	for i, h := range all {
		h.AddAddr(t, wire, fmt.Sprintf("10.78.0.%d/24", i+1))
	}
	return all
}

// mdnsNode runs a node that registers by multicast DNS on a host.
func mdnsNode(t *testing.T, host *testkit.Netns, flags ...string) *testkit.Process {
	t.Helper()
	return testkit.StartProcess(t, fleet.AsNode(host.Command(os.Args[0], append([]string{"--registry=mdns"}, flags...)...), 1))
}

// mdnsCaller runs a program on a host that calls the nodes, and waits until it
// reaches one.
func mdnsCaller(t *testing.T, host *testkit.Netns) *testkit.Process {
	t.Helper()
	p := testkit.StartProcess(t, fleet.AsCaller(host.Command(os.Args[0], "--registry=mdns"), fleet.ProcessName))
	p.Says(t, "calling")
	return p
}

// outcome ends a caller and returns how many calls it made, and how many failed.
func outcome(t *testing.T, caller *testkit.Process) (calls, failed int) {
	t.Helper()
	caller.Signal(t, syscall.SIGTERM)
	line := caller.Says(t, `result: (.*)`)
	t.Logf("measured: %s", line)
	n := regexp.MustCompile(`[0-9]+`).FindAllString(line, 2)
	calls, _ = strconv.Atoi(n[0])
	failed, _ = strconv.Atoi(n[1])
	return calls, failed
}

// microOn runs the command with multicast DNS on a host.
func microOn(t *testing.T, host *testkit.Netns, args ...string) (string, error) {
	t.Helper()
	cmd := host.Command(testkit.Micro(t), args...)
	cmd.Env = append(os.Environ(), "MICRO_REGISTRY=mdns")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// watchOn prints what changes on a host, as a program that has been there for long
// sees it.
func watchOn(t *testing.T, host *testkit.Netns) *testkit.Process {
	t.Helper()
	p := testkit.StartProcess(t, host.Command(testkit.Micro(t), "watch", fleet.ProcessName, "--registry=mdns"))
	p.Says(t, "watching")
	return p
}

// Row F1. Fault: a host has no network. Bound: programs on it find and call one
// another, within 10 s of the start of a caller.
func TestF1OneHostWithoutANetwork(t *testing.T) {
	t.Parallel()
	host := testkit.NewNetns(t)
	mdnsNode(t, host)
	begin := time.Now()
	caller := mdnsCaller(t, host)
	within(t, "from the start of a caller to its first answer", time.Since(begin), 10*time.Second)
	testkit.Elapse(t, time.Second)
	if calls, failed := outcome(t, caller); calls == 0 || failed > 0 {
		t.Errorf("%d of %d calls failed", failed, calls)
	}
}

// Row F1. Fault: multicast works on no interface. Bound: a service runs, and says
// within 5 s why it is not registered and what to use instead; so does the command.
// Once an interface is up, the service is found within 10 s.
func TestF1NoMulticast(t *testing.T) {
	t.Parallel()
	host := testkit.NewNetns(t)
	host.IP(t, "link", "set", "lo", "down")
	node := mdnsNode(t, host)
	for _, part := range []string{"multicast", "--registry=etcd"} {
		testkit.Eventually(t, 5*time.Second, "the service says "+part, func() bool { return strings.Contains(node.Output(), part) })
	}
	for _, args := range [][]string{{"list", "services"}, {"get", "service", fleet.ProcessName}} {
		out, err := microOn(t, host, args...)
		if err == nil || !strings.Contains(out, "multicast") || !strings.Contains(out, "--registry=etcd") || strings.Contains(out, "%!") || strings.Count(out, "\n") != 1 {
			t.Errorf("micro %s: %v: %s", args, err, out)
		}
	}
	host.IP(t, "link", "set", "lo", "up")
	begin := time.Now()
	within(t, "from the first interface to being found", since(t, begin, "the service is found", func() bool {
		out, err := microOn(t, host, "get", "service", fleet.ProcessName)
		return err == nil && strings.Contains(out, fleet.ProcessName+"-")
	}), 10*time.Second)
}

// Row F3. Fault: kill -9 of one of two processes, on another host. Bound: it is not
// known any more one TTL (3 s here, 15 s if none is given) and 1 s later, and no
// call fails but those under way to it.
func TestF3KillNine(t *testing.T) {
	t.Parallel()
	const ttl = 3 * time.Second
	hosts := neighbours(t, 2)
	watch := watchOn(t, hosts[0])
	var nodes []*testkit.Process
	for range 2 {
		nodes = append(nodes, mdnsNode(t, hosts[1], "--server_address=:0", "--register_ttl=3"))
	}
	testkit.Eventually(t, patience, "both nodes are known", func() bool { return watch.Lines("create") == 2 })
	caller := mdnsCaller(t, hosts[0])
	testkit.Elapse(t, time.Second)
	nodes[0].Kill()
	gone := since(t, time.Now(), "the dead node is not known any more", func() bool { return watch.Lines("delete") == 1 })
	within(t, "from kill -9 to not being known", gone, ttl+time.Second)
	testkit.Elapse(t, time.Second)
	calls, failed := outcome(t, caller)
	if calls < 100 {
		t.Errorf("%d calls were made", calls)
	}
	atMost(t, "failed calls", failed, 8) // one of each caller
	if n := watch.Lines("delete"); n != 1 {
		t.Errorf("%d nodes went, want the dead one alone", n)
	}
}

// Row F3. Fault: a process ends in good order. Bound: others know at once, within
// 2 s, and no call fails.
func TestF3Goodbye(t *testing.T) {
	t.Parallel()
	hosts := neighbours(t, 2)
	watch := watchOn(t, hosts[0])
	var nodes []*testkit.Process
	for range 2 {
		nodes = append(nodes, mdnsNode(t, hosts[1], "--server_address=:0"))
	}
	testkit.Eventually(t, patience, "both nodes are known", func() bool { return watch.Lines("create") == 2 })
	caller := mdnsCaller(t, hosts[0])
	nodes[0].Signal(t, syscall.SIGTERM)
	nodes[0].Says(t, "Deregistering node")
	within(t, "from the goodbye to its being known", since(t, time.Now(), "the node that left is not known any more", func() bool { return watch.Lines("delete") == 1 }), 2*time.Second)
	nodes[0].Wait(t, patience)
	if calls, failed := outcome(t, caller); calls == 0 || failed > 0 {
		t.Errorf("%d of %d calls failed", failed, calls)
	}
}

// Row F4. Fault: a host has no IPv6. Bound: a service and its caller write not one
// line at info but those that v2 writes at the start and the end.
func TestF4Quiet(t *testing.T) {
	t.Parallel()
	host := neighbours(t, 1)[0]
	node := mdnsNode(t, host, "--server_address=:0")
	caller := mdnsCaller(t, host)
	testkit.Elapse(t, times(3*time.Second, time.Minute))
	outcome(t, caller)
	caller.Wait(t, patience)
	node.Signal(t, syscall.SIGTERM)
	node.Wait(t, patience)
	usual := []string{
		"Starting [service]", "Server [grpc] Listening on", "Server [grpc] Advertising", "Registry [mdns] Registering node",
		"Received signal", "Deregistering node", "Server [grpc] Draining", "Server [grpc] Stopped", "calling", "result: ", "$ ended",
	}
	for _, p := range []*testkit.Process{node, caller} {
		for line := range strings.Lines(p.Output()) {
			if !slices.ContainsFunc(usual, func(u string) bool { return strings.Contains(line, u) }) {
				t.Errorf("a line too many: %s", line)
			}
		}
	}
}
