package main

import (
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/cmd/micro/demo"
	"github.com/rollcall-go/micro/internal/testkit"
)

var (
	demoRegistry = regexp.MustCompile(`etcd 3\.\S+ runs on (127\.0\.0\.1:\d+)\.`)
	demoOffer    = regexp.MustCompile(`^    (.*micro \S+ .*--registry_address=\S+)$`)
)

// demoWaiting starts a demo and returns once it waits, with the address of its
// etcd, the commands that it offers and the directory of its data.
func demoWaiting(t *testing.T) (c *child, addr string, offers []string, dir string) {
	t.Helper()
	dir = t.TempDir()
	c = spawn(t, []string{"TMPDIR=" + dir, "TMP=" + dir, "MICRO_REGISTRY_ADDRESS="}, "demo")
	for len(offers) < 3 {
		line := c.line(t)
		if m := demoRegistry.FindStringSubmatch(line); m != nil {
			addr = m[1]
		}
		if m := demoOffer.FindStringSubmatch(line); m != nil {
			offers = append(offers, m[1])
		}
	}
	return c, addr, offers, dir
}

// gone reports whether nobody listens on the address.
func gone(addr string) bool {
	c, err := net.Dial("tcp", addr)
	if err == nil {
		c.Close()
	}
	return err != nil
}

func TestDemoWaitsForAnInterrupt(t *testing.T) {
	c, addr, offers, dir := demoWaiting(t)
	for i, want := range []string{"greeter  1.0.0     1", `"greeting": "Hello, you!"`} {
		if out, err := exec.Command("sh", "-c", offers[i]).CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, it printed\n%s", offers[i], err, out)
		}
	}
	if !strings.Contains(offers[2], "watch greeter") {
		t.Errorf("the third command is %q", offers[2])
	}
	begun := time.Now()
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code, _ := c.wait(t); code != exitOK || c.stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %q", code, c.stderr.String())
	}
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("it took %s to end", took)
	}
	if !gone(addr) {
		t.Error("its etcd is still there")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind, %v", left, err)
	}
}

func TestDemoKilledLeavesNoProcess(t *testing.T) {
	c, addr, _, _ := demoWaiting(t)
	_, services, stderr := micro(t, "get", "service", demo.Name, "--registry_address="+addr)
	node := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(services)
	if node == "" || gone(node) || gone(addr) {
		t.Fatalf("there is no node, %s%s", services, stderr)
	}
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, "etcd and node end with the demo", func() bool { return gone(addr) && gone(node) })
}
