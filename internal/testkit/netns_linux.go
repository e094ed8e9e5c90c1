package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// Netns is a network namespace of the test's own: a host on a network that exists
// for the test alone. It goes with the test, and so must what runs in it.
type Netns struct{ name string }

// namespaces counts those of this process.
var namespaces atomic.Int64

// NewNetns makes a namespace in which only the loopback interface is up. Where the
// test may not, for want of the ip command, or of root and of user namespaces, it is
// skipped as Require says.
func NewNetns(t testing.TB) *Netns {
	t.Helper()
	n := &Netns{name: fmt.Sprintf("rollcall-%d-%d", os.Getpid(), namespaces.Add(1))}
	_, err := within()
	Require(t, "network namespaces", err)
	Require(t, "network namespaces", runIP("netns", "add", n.name))
	t.Cleanup(func() {
		if err := runIP("netns", "del", n.name); err != nil {
			t.Error(err)
		}
	})
	n.IP(t, "link", "set", "lo", "up")
	return n
}

func runIP(args ...string) error {
	out, err := privileged("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// IP runs the ip command in the namespace and fails the test if that fails.
func (n *Netns) IP(t testing.TB, args ...string) {
	t.Helper()
	if err := runIP(append([]string{"-n", n.name}, args...)...); err != nil {
		t.Fatal(err)
	}
}

// Interface adds an interface that leads nowhere, with these addresses, each with
// the length of its network.
func (n *Netns) Interface(t testing.TB, name string, addrs ...string) {
	t.Helper()
	n.IP(t, "link", "add", name, "type", "bridge")
	n.up(t, name, addrs)
}

// Join lays a cable from the interface of this name in n to one of the same name in
// other, and gives each end its addresses.
func (n *Netns) Join(t testing.TB, other *Netns, name string, mine, its []string) {
	t.Helper()
	if err := runIP("link", "add", name, "netns", n.name, "type", "veth", "peer", "name", name, "netns", other.name); err != nil {
		t.Fatal(err)
	}
	n.up(t, name, mine)
	other.up(t, name, its)
}

func (n *Netns) up(t testing.TB, name string, addrs []string) {
	t.Helper()
	n.IP(t, "link", "set", name, "up")
	for _, a := range addrs {
		n.AddAddr(t, name, a)
	}
}

// AddAddr gives the interface one more address, which can be used at once.
func (n *Netns) AddAddr(t testing.TB, name, addr string) {
	t.Helper()
	args := []string{"addr", "add", addr, "dev", name}
	if strings.Contains(addr, ":") {
		args = append(args, "nodad")
	}
	n.IP(t, args...)
}

// ChangeAddr gives the interface another address in place of one that it has.
func (n *Netns) ChangeAddr(t testing.TB, name, from, to string) {
	t.Helper()
	n.IP(t, "addr", "del", from, "dev", name)
	n.AddAddr(t, name, to)
}

// Command returns a command that runs in the namespace.
func (n *Netns) Command(name string, args ...string) *exec.Cmd {
	cmd := privileged("ip", append([]string{"netns", "exec", n.name, name}, args...)...)
	cmd.SysProcAttr = dieWithParent()
	return cmd
}

// Drop throws away, without a word, the packets of the namespace that match an
// expression of nft such as "tcp dport 80", coming in and going out, for as long as
// the namespace is there.
func (n *Netns) Drop(t testing.TB, match ...string) {
	t.Helper()
	_, err := exec.LookPath("nft")
	Require(t, "nft", err)
	var rules strings.Builder
	rules.WriteString("table inet rollcall {\n")
	for _, hook := range []string{"input", "output"} {
		fmt.Fprintf(&rules, "chain %s { type filter hook %s priority 0;\n", hook, hook)
		for _, m := range match {
			fmt.Fprintf(&rules, "%s drop\n", m)
		}
		rules.WriteString("}\n")
	}
	rules.WriteString("}\n")
	cmd := n.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nft: %v: %s", err, out)
	}
}

// Pass ends what Drop began.
func (n *Netns) Pass(t testing.TB) {
	t.Helper()
	if out, err := n.Command("nft", "delete", "table", "inet", "rollcall").CombinedOutput(); err != nil {
		t.Fatalf("nft: %v: %s", err, out)
	}
}
