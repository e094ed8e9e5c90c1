package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestTheFirstMinute runs what the README begins with: the two programs, no flags, no
// variables and no server, on a host that is alone. It is a network of the test's own,
// so that nothing is sent to those of this host.
func TestTheFirstMinute(t *testing.T) {
	t.Parallel()
	bin, err := build("../examples/greeter", "./service", "./client")
	if err != nil {
		t.Fatalf("build the examples: %v", err)
	}
	host := testkit.NewNetns(t)
	host.Interface(t, "eth0", "10.77.0.1/24")
	service := testkit.StartProcess(t, host.Command(filepath.Join(bin, "service")))
	service.Says(t, "Registering node: greeter-")
	out, err := host.Command(filepath.Join(bin, "client")).CombinedOutput()
	if lines := strings.Split(strings.TrimSpace(string(out)), "\n"); err != nil || lines[len(lines)-1] != "Hello, John! <nil>" {
		t.Errorf("the client: %v, printed %q", err, out)
	}
	if strings.Contains(service.Output(), "level=warn") || strings.Contains(service.Output(), "level=error") {
		t.Errorf("the service warns:\n%s", service.Output())
	}
	service.Stop(t)
}

// TestOneProgramOnMulticast is TestOneProgramOnEachRegistry for mDNS, alone and beside
// an etcd that is away.
func TestOneProgramOnMulticast(t *testing.T) {
	t.Parallel()
	for _, c := range []chosen{{"mdns", ""}, {"mdns,etcd", "etcd=127.0.0.1:1"}} {
		for _, byFlag := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s by flag %v", c.registry, byFlag), func(t *testing.T) {
				t.Parallel()
				host := testkit.NewNetns(t)
				service := relay(t, c, byFlag, "RELAY_NAME=svc")
				inside := host.Command(service.Path, service.Args[1:]...)
				inside.Env = service.Env
				testkit.StartProcess(t, inside)
				caller := relay(t, c, byFlag, "RELAY_NAME=caller", "RELAY_ASK=svc")
				answers(t, func() *exec.Cmd {
					cmd := host.Command(caller.Path, caller.Args[1:]...)
					cmd.Env = caller.Env
					return cmd
				}, "svc")
			})
		}
	}
}

// TestHowSoonMulticastIsKnown is TestHowSoonARegistrationIsKnown for mDNS.
func TestHowSoonMulticastIsKnown(t *testing.T) {
	t.Parallel()
	host := testkit.NewNetns(t)
	measureKnown(t, chosen{registry: "mdns"}, func(program string, args ...string) *exec.Cmd { return host.Command(program, args...) })
}
