package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestTheFirstMinute runs what the README begins with: the two programs, no flags, no
// variables and no server, on a host that is alone. It is a network of the test's own,
// so that nothing is sent to those of this host.
func TestTheFirstMinute(t *testing.T) {
	t.Parallel()
	host := testkit.NewNetns(t)
	host.Interface(t, "eth0", "10.77.0.1/24")
	greets(t, host)
}

// TestTheSecondMinute runs what comes next in the README: an etcd where it is without
// flags, and both programs with --registry=etcd alone.
func TestTheSecondMinute(t *testing.T) {
	t.Parallel()
	host := testkit.NewNetns(t) // where the address of etcd is free
	host.Interface(t, "eth0", "10.77.0.1/24")
	etcd := host.Command(testkit.Micro(t), "server")
	etcd.Env = append(etcd.Environ(), "HOME="+t.TempDir(), "XDG_DATA_HOME=")
	testkit.StartProcess(t, etcd).Says(t, "ready on 127.0.0.1:2379")
	greets(t, host, "--registry=etcd")
}

// greets runs the greeter and its client, with the same flags.
func greets(t *testing.T, host *testkit.Netns, flags ...string) {
	t.Helper()
	bin, err := build("../examples/greeter", "./service", "./client")
	if err != nil {
		t.Fatalf("build the examples: %v", err)
	}
	service := testkit.StartProcess(t, host.Command(filepath.Join(bin, "service"), flags...))
	service.Says(t, "Registering node: greeter-")
	testkit.Passes(t, 30*time.Second, "the client is answered", func() error {
		out, err := host.Command(filepath.Join(bin, "client"), flags...).CombinedOutput()
		if !strings.HasSuffix(strings.TrimSpace(string(out)), "Hello, John! <nil>") {
			return fmt.Errorf("the client ends with %v and prints %q", err, out)
		}
		return nil
	})
	if strings.Contains(service.Output(), "level=warn") || strings.Contains(service.Output(), "level=error") {
		t.Errorf("the service warns:\n%s", service.Output())
	}
	service.Stop(t)
}
