package e2e

import (
	"fmt"
	"os/exec"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

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
