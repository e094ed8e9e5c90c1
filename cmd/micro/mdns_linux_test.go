package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// island is a host on no network, on which nobody has said which registry to use.
type island struct {
	*testkit.Netns
	binary string
}

func newIsland(t *testing.T) island {
	t.Helper()
	return island{testkit.NewNetns(t), testkit.Micro(t)}
}

// command returns a command that runs micro there.
func (i island) command(args ...string) *exec.Cmd {
	cmd := i.Command(i.binary, args...)
	cmd.Env = append(os.Environ(), "MICRO_REGISTRY=", "MICRO_REGISTRY_ADDRESS=")
	return cmd
}

// micro runs a command line there.
func (i island) micro(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := i.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return code, out.String(), errs.String()
}

// start starts a command there that ends with the test, and returns once it has
// written a line with the text.
func (i island) start(t *testing.T, want string, args ...string) {
	t.Helper()
	c := newChild(t, i.command(args...))
	for !strings.Contains(c.line(t), want) {
	}
}

// TestWithoutARegistry is the first minute: a service in one terminal, the command in
// the other, and nothing else.
func TestWithoutARegistry(t *testing.T) {
	t.Parallel()
	host := newIsland(t)
	// Who does not answer in little more than a second is not there: on a busy machine it
	// may take another look.
	expect := func(code int, stdout, stderr string, args ...string) {
		t.Helper()
		testkit.Passes(t, 20*time.Second, "micro "+strings.Join(args, " "), func() error {
			c, out, errs := host.micro(t, args...)
			if c != code || !strings.Contains(out, stdout) || !strings.Contains(errs, stderr) {
				return fmt.Errorf("exit code %d, stdout\n%sstderr\n%s, want %d, %q and %q", c, out, errs, code, stdout, stderr)
			}
			return nil
		})
	}
	begun := time.Now()
	expect(exitOK, "NAME  VERSIONS  NODES\n", "", "list", "services")
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v to find nothing", took)
	}
	expect(exitFailed, "", `look up "greeter": service not found in mdns`, "get", "service", "greeter")

	host.start(t, "Registering node: ", "demo-service")
	expect(exitOK, "greeter  1.0.0     1\n", "", "list", "services")
	expect(exitOK, "service   greeter\n", "", "get", "service", "greeter")
	expect(exitOK, `"greeting": "Hello, John!"`, "", "call", "greeter", "Greeter.Hello", `{"name":"John"}`)
	expect(exitFailed, "", "did you mean greeter?", "get", "service", "greter")
	const why = "mdns has no place where a pause could stand; stop the node's process instead, or use a registry that has one: etcd or consul\n"
	expect(exitFailed, "", why, "node", "pause", "greeter", "greeter-")
	expect(exitFailed, "", why, "node", "resume", "greeter", "greeter-")
	expect(exitFailed, "", "in mdns each process answers for itself", "node", "deregister", "greeter", "greeter-")
	expect(exitFailed, "", `find node "x" of "other": the service has no node`, "node", "pause", "other", "x")
	expect(exitUsage, "", "the mdns registry has no server and takes none: leave the address out, or choose a registry that has one (--registry=etcd, --registry=consul)", "list", "services", "--registry_address=127.0.0.1:1")
	expect(exitOK, "1 node of 1 service found", "", "doctor", "--registry=mdns", "--timeout=20s")
	expect(exitFailed, "", "is registered in mdns already", "demo", "--once", "--registry=mdns")

	// From there to an etcd.
	host.start(t, "ready on", "server", "--unsafe_fast", "--data_dir="+t.TempDir())
	const hint = "an etcd answers on 127.0.0.1:2379: choose it with --registry=etcd\n"
	expect(exitFailed, "", hint, "get", "service", "other")
	expect(exitFailed, "", "an etcd answers on 127.0.0.1:2379", "call", "other", "Other.Do")
	sync := host.command("registry", "sync", "--from=mdns", "--to=etcd")
	errs := &text{}
	sync.Stderr = errs
	if err := sync.Start(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, "the sync is in step", func() bool {
		return strings.Contains(errs.String(), "in step: 1 node of 1 service mirrored")
	})
	expect(exitOK, "rollcall-synced-from=mdns", "", "get", "service", "greeter", "--registry=etcd")
	if err := sync.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := sync.Wait(); err != nil {
		t.Errorf("the sync ended with %v: %s", err, errs)
	}
}

// TestEtcdNearby lists mDNS on a host where somebody may have meant an etcd.
func TestEtcdNearby(t *testing.T) {
	t.Parallel()
	host := newIsland(t)
	host.start(t, "ready on", "server", "--unsafe_fast", "--data_dir="+t.TempDir())
	const want = "micro: nothing is registered in mdns; an etcd answers on 127.0.0.1:2379: choose it with --registry=etcd\n"
	for _, form := range []struct{ flag, out string }{{"-o=table", "NAME  VERSIONS  NODES\n"}, {"-o=json", "[]\n"}} {
		code, out, errs := host.micro(t, "list", "services", form.flag)
		if code != exitOK || out != form.out || errs != want {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", form.flag, code, out, errs)
		}
	}
}

func TestDemoWithoutARegistry(t *testing.T) {
	t.Parallel()
	host := newIsland(t)
	code, out, errs := host.micro(t, "demo", "--once", "--registry=mdns")
	if code != exitOK || !strings.Contains(out, "There is no registry: ") || !strings.HasSuffix(out, "That was all, without a failed call.\n") {
		t.Errorf("exit code %d, stdout\n%sstderr\n%s", code, out, errs)
	}
}
