package faults

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
)

// failedOf reads how many calls a process of fleet.AsCaller made, and how many of
// them failed.
func failedOf(t *testing.T, p *testkit.Process) (calls, failed int) {
	t.Helper()
	p.Stop(t)
	result := p.Says(t, `result: (.*)`)
	t.Logf("measured: %s", result)
	if _, err := fmt.Sscanf(result, "%d calls, %d failed", &calls, &failed); err != nil {
		t.Fatalf("read %q: %v", result, err)
	}
	return calls, failed
}

// call starts a caller of the nodes on the host of the etcd, and waits until it calls.
func (n *network) call(t *testing.T) *testkit.Process {
	t.Helper()
	cmd := fleet.AsCaller(n.reg.Command(os.Args[0], "--registry=etcd", "--registry_address="+n.etcd), fleet.ProcessName)
	p := testkit.StartProcess(t, cmd)
	p.Says(t, "calling")
	return p
}

// Row D12, packets that vanish: one of three nodes is cut off without a word, as a
// host that lost its power is.
func TestD12OneOfThreeIsCutOff(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, "10.78.0.1/24", "10.78.0.2/24")
	var addresses []string
	for range 3 {
		p := n.run(t, nil, "--register_ttl=120")
		p.Says(t, "Registering node: ")
		addresses = append(addresses, p.Says(t, `Advertising (\S+):`))
	}
	port := addresses[0][strings.LastIndexByte(addresses[0], ':')+1:]
	caller := n.call(t)
	testkit.Elapse(t, 2*time.Second)
	n.app.Drop(t, "tcp dport "+port, "tcp sport "+port)
	testkit.Elapse(t, times(12*time.Second, time.Minute))
	calls, failed := failedOf(t, caller)
	atMost(t, "failed calls, beside those that the node had been sent", failed, silentCallers+1)
	if calls < 500 {
		t.Errorf("%d calls prove nothing", calls)
	}
}

// Row D13, packets that vanish: the only connection to the only node is forgotten by
// a firewall, new ones pass. Few calls fail, and a minute later none does.
func TestD13TheOnlyConnectionVanishes(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, "10.79.0.1/24", "10.79.0.2/24")
	p := n.run(t, nil, "--register_ttl=120")
	p.Says(t, "Registering node: ")
	address := p.Says(t, `Advertising (\S+):`)
	port := address[strings.LastIndexByte(address, ':')+1:]
	caller := n.call(t)
	testkit.Elapse(t, time.Second)
	ports := n.ports(t, port)
	if len(ports) == 0 {
		t.Fatal("the caller has no connection to the node")
	}
	var match []string
	for _, own := range ports {
		match = append(match, fmt.Sprintf("tcp sport %s tcp dport %s", own, port), fmt.Sprintf("tcp sport %s tcp dport %s", port, own))
	}
	begin := time.Now()
	n.reg.Drop(t, match...)
	within(t, "called over a new connection", since(t, begin, "there is a new connection", func() bool {
		for _, own := range n.ports(t, port) {
			if !slices.Contains(ports, own) {
				return true
			}
		}
		return false
	}), reconnected)
	failedOf(t, caller)
	// Whoever calls now reaches the node at once.
	late := n.call(t)
	testkit.Elapse(t, 2*time.Second)
	if _, failed := failedOf(t, late); failed > 0 {
		t.Errorf("%d calls of a new caller failed", failed)
	}
}

// ports returns the ports from which the host of the etcd has connections to one of
// the other's.
func (n *network) ports(t *testing.T, to string) []string {
	t.Helper()
	_, err := exec.LookPath("ss")
	testkit.Require(t, "ss", err)
	out, err := n.reg.Command("ss", "-Htn", "state", "established", "dport", "=", ":"+to).CombinedOutput()
	if err != nil {
		t.Fatalf("ss: %v: %s", err, out)
	}
	var own []string
	for line := range strings.Lines(string(out)) {
		// Recv-Q Send-Q local:port peer:port
		if f := strings.Fields(line); len(f) >= 4 {
			own = append(own, f[2][strings.LastIndexByte(f[2], ':')+1:])
		}
	}
	return own
}
