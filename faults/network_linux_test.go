package faults

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
)

// wire is the interface that joins the two hosts of a network.
const wire = "eth0"

// network is two hosts, each a namespace: one with an etcd, and one for a service.
type network struct {
	reg, app *testkit.Netns
	etcd     string // host:port, as the app's host reaches it
}

// newNetwork joins two hosts by a wire with these addresses, each with its length,
// and starts an etcd on the first.
func newNetwork(t *testing.T, reg, app string) *network {
	t.Helper()
	n := &network{reg: testkit.NewNetns(t), app: testkit.NewNetns(t)}
	n.app.Join(t, n.reg, wire, []string{app}, []string{reg})
	host, _, _ := strings.Cut(reg, "/")
	n.serve(t, n.reg, host)
	return n
}

// alone is one host, with an etcd on its loopback interface.
func alone(t *testing.T, loopback string) *network {
	t.Helper()
	host := testkit.NewNetns(t)
	n := &network{reg: host, app: host}
	n.serve(t, host, loopback)
	return n
}

func (n *network) serve(t *testing.T, on *testkit.Netns, host string) {
	t.Helper()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	n.etcd = host + ":2379"
	cmd := on.Command(testkit.Micro(t), "server", "--unsafe_fast", "--data_dir", t.TempDir(), "--address", n.etcd)
	testkit.StartProcess(t, cmd).Says(t, "ready on")
}

// run starts a node on the app's host, with these variables and flags.
func (n *network) run(t *testing.T, env []string, flags ...string) *testkit.Process {
	t.Helper()
	flags = append([]string{"--registry=etcd", "--registry_address=" + n.etcd, "--server_address=:0"}, flags...)
	cmd := fleet.AsNode(n.app.Command(os.Args[0], flags...), 1)
	cmd.Env = append(cmd.Env, env...)
	return testkit.StartProcess(t, cmd)
}

// micro runs the command on the host of the etcd and returns what it printed.
func (n *network) micro(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := n.reg.Command(testkit.Micro(t), args...)
	cmd.Env = append(os.Environ(), "MICRO_REGISTRY=etcd", "MICRO_REGISTRY_ADDRESS="+n.etcd)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// registered returns the line of the node in what the command shows, empty as long
// as there is none.
func (n *network) registered(t *testing.T) string {
	t.Helper()
	out, err := n.micro(t, "get", "service", "node")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(out) {
		if strings.Contains(line, "node-") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// has waits until the node is registered at the host, and returns when that was
// seen.
func (n *network) has(t *testing.T, host string) time.Time {
	t.Helper()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	var line string
	testkit.Eventually(t, patience, "the node is registered at "+host, func() bool {
		line = n.registered(t)
		return strings.Contains(line, host+":")
	})
	t.Logf("measured: registered as %s", line)
	return time.Now()
}

// answers fails the test unless the node can be called by its name from the host of
// the etcd.
func (n *network) answers(t *testing.T) {
	t.Helper()
	var out string
	testkit.Eventually(t, patience, "the node is called", func() bool {
		var err error
		out, err = n.micro(t, "call", "node", "Echo.Say", `{"Text":"hello"}`)
		return err == nil && strings.Contains(out, "hello")
	})
}
