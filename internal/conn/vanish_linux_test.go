package conn

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/testkit"
)

// inNetns runs the test again as a process in a network of its own, and reports
// false in the outer one.
func inNetns(t *testing.T) bool {
	if os.Getenv("ROLLCALL_TEST_IN_NETNS") != "" {
		return true
	}
	ns := testkit.NewNetns(t)
	_, err := exec.LookPath("nft")
	testkit.Require(t, "nft", err)
	cmd := ns.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "ROLLCALL_TEST_IN_NETNS=1")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return false
}

// drop throws away the packets that match, until the returned func is called.
func drop(t *testing.T, matches ...string) (pass func()) {
	t.Helper()
	nft := func(rules string) {
		t.Helper()
		cmd := exec.Command("nft", "-f", "-")
		cmd.Stdin = strings.NewReader(rules)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("nft: %v: %s", err, out)
		}
	}
	nft("table inet t { chain c { type filter hook output priority 0;\n" + strings.Join(matches, " drop\n") + " drop\n}\n}\n")
	return func() { nft("delete table inet t") }
}

// Packets of one connection vanish without a word, in both directions; those of
// new ones pass. Then all do: the host is off.
func TestPacketsVanish(t *testing.T) {
	if !inNetns(t) {
		return
	}
	eachKind(t, func(t *testing.T, kind func(string) endpoint.Endpoint) {
		n := serve(t, "", echo)
		_, server, _ := net.SplitHostPort(n.address)
		c := mustNode(t, newSet(t, Options{}), kind(n.address))
		if err := callWithin(t.Context(), c, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		client := c.current.Load().framed.Load().LocalAddr().(*net.TCPAddr).Port
		began := time.Now()
		pass := drop(t, fmt.Sprintf("tcp sport %d tcp dport %s", client, server), fmt.Sprintf("tcp sport %s tcp dport %d", server, client))
		failed := 0
		for callWithin(t.Context(), c, 300*time.Millisecond) != nil {
			failed++
			if failed > 20 {
				t.Fatal("no other connection is made")
			}
		}
		t.Logf("%d calls failed one after another, answered again after %v", failed, time.Since(began))
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("a new connection after %v", took)
		}
		pass()

		pass = drop(t, "tcp dport "+server, "tcp sport "+server)
		_ = callWithin(t.Context(), c, time.Second)
		testkit.Eventually(t, inTime, "the node is silent", func() bool { return c.State() == endpoint.Silent })
		pass()
		testkit.Eventually(t, 2*inTime, "the node is heard", func() bool { return callWithin(t.Context(), c, time.Second) == nil })
	})
}

// A process that is stopped, whose kernel goes on taking connections and data.
func TestStoppedProcess(t *testing.T) {
	if os.Getenv("ROLLCALL_TEST_NODE") != "" {
		n := serve(t, "", echo)
		fmt.Println("at", n.address)
		<-n.done // until it is killed
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestStoppedProcess$")
	cmd.Env = append(os.Environ(), "ROLLCALL_TEST_NODE=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	var address string
	if _, err := fmt.Fscanf(out, "at %s\n", &address); err != nil {
		t.Fatal(err)
	}
	eachKind(t, func(t *testing.T, kind func(string) endpoint.Endpoint) {
		c := mustNode(t, newSet(t, Options{}), kind(address))
		if err := callWithin(t.Context(), c, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, inTime, "the process has stopped", func() bool {
			stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
			return strings.Contains(string(stat), ") T ")
		})
		began := time.Now()
		inFlight := make(chan error, 1)
		go func() { inFlight <- callWithin(t.Context(), c, 20*time.Second) }()
		testkit.Eventually(t, inTime, "the node is silent", func() bool { return c.State() == endpoint.Silent })
		t.Logf("silent after %v", time.Since(began))
		if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, inTime, "the node is heard", func() bool { return c.State() == endpoint.Ready })
		if err := <-inFlight; err != nil {
			t.Errorf("the call in flight: %v", err)
		}
	})
}
