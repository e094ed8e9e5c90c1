package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestEventsExample runs examples/events with each broker: a program as v2's template
// makes them, with a struct and a function in one main, and one that publishes.
func TestEventsExample(t *testing.T) {
	t.Parallel()
	bin, err := build(".", "../examples/events/mailer", "../examples/events/signup")
	if err != nil {
		t.Fatalf("build the examples: %v", err)
	}
	e := testkit.StartEtcd(t)
	for name, flags := range map[string]func(t *testing.T) []string{
		"http": func(*testing.T) []string { return []string{"--broker_address=127.0.0.1:0"} },
		"nats": func(t *testing.T) []string {
			return []string{"--broker=nats", "--broker_address=" + testkit.StartNATS(t).URL()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append(flags(t), "--registry=etcd", "--registry_address="+e.Addr())
			mailer := testkit.StartProcess(t, exec.Command(filepath.Join(bin, "mailer"), append(args, "--server_address=127.0.0.1:0")...))
			mailer.Says(t, "Registering node: mailer-")
			mailer.Says(t, `Broker \[`+name+`\] Connected to \S+:\d+`)
			testkit.Passes(t, 30*time.Second, "the event arrives, at each method and the function", func() error {
				if out, err := exec.Command(filepath.Join(bin, "signup"), args...).CombinedOutput(); err != nil {
					return fmt.Errorf("signup: %v\n%s", err, out)
				}
				for _, says := range []string{"Welcome, John! We heard of you from signup.", "The first month is free, John.", "John is counted."} {
					if !strings.Contains(mailer.Output(), says) {
						return fmt.Errorf("the mailer does not say %q", says)
					}
				}
				return nil
			})
			mailer.Stop(t)
			for _, line := range []string{"Unsubscribing from topic: user.created", "Broker [" + name + "] Disconnected from "} {
				if !strings.Contains(mailer.Output(), line) {
					t.Errorf("it does not say %q:\n%s", line, mailer.Output())
				}
			}
			if strings.Contains(mailer.Output(), "level=warn Broker") || strings.Contains(mailer.Output(), "level=error") {
				t.Errorf("the mailer warns:\n%s", mailer.Output())
			}
		})
	}
}
