package e2e

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
)

// TestTermination ends a service by SIGTERM with a call in flight: it leaves the
// registry first, then finishes the call, and only then closes its door.
func TestTermination(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	etcd := e.Client(t)
	p := startProgram(t, "service", "--registry=etcd", "--registry_address="+e.Addr(), "--server_address=127.0.0.1:0")
	addr := p.Says(t, `Listening on (\S+)`)
	p.Says(t, `Registering node: (\S+)`)
	c := fleet.Client(t, fleet.Registry(t, e.Addr()))
	greeter := legacypb.NewGreeterService("go.micro.service.demo", c)
	ask := func(ms int64) error {
		rsp, err := greeter.Hello(t.Context(), &legacypb.HelloRequest{Name: "John", Times: ms})
		if err == nil && rsp.Greeting != "Hello John" {
			err = fmt.Errorf("answered %v", rsp)
		}
		return err
	}
	if err := ask(0); err != nil {
		t.Fatal(err)
	}
	inFlight := make(chan error, 1)
	go func() { inFlight <- ask(1000) }()
	testkit.Elapse(t, 300*time.Millisecond)

	begin := time.Now()
	p.Signal(t, syscall.SIGTERM)
	testkit.Eventually(t, 3*time.Second, "the key is gone", func() bool {
		n, err := keysOf(etcd, "go.micro.service.demo")
		return err == nil && n == 0
	})
	gone := time.Since(begin)
	if !dials(addr) {
		t.Error("connections are refused as soon as the key is gone: clients had no time to hear of it")
	}
	if err := <-inFlight; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	if code := p.Wait(t, 5*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	t.Logf("the key was gone %v after SIGTERM, the process %v", gone.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond))
	if dials(addr) {
		t.Error("somebody still listens")
	}
	p.Says(t, `Deregistering node: (\S+)`)
	if err := ask(0); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("a call after the end: %v", err)
	}
}

// TestStopLosesNoCall stops one of two nodes under calls that never pause.
func TestStopLosesNoCall(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	leaving := startProgram(t, "service", "--registry=etcd", "--registry_address="+e.Addr(), "--server_address=127.0.0.1:0")
	staying := startProgram(t, "service", "--registry=etcd", "--registry_address="+e.Addr(), "--server_address=127.0.0.1:0")
	leaving.Says(t, "Registering node: (.*)")
	staying.Says(t, "Registering node: (.*)")
	greeter := legacypb.NewGreeterService("go.micro.service.demo", fleet.Client(t, fleet.Registry(t, e.Addr())))
	stop, failed := make(chan struct{}), make(chan error, 4)
	for range cap(failed) {
		go func() {
			for {
				select {
				case <-stop:
					failed <- nil
					return
				default:
				}
				if _, err := greeter.Hello(t.Context(), &legacypb.HelloRequest{Name: "John", Times: 2}); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	leaving.Signal(t, syscall.SIGTERM)
	if code := leaving.Wait(t, 5*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	close(stop)
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Errorf("a call failed: %v", err)
		}
	}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	etcd := e.Client(t)
	p := startProgram(t, "service", "--registry=etcd", "--registry_address="+e.Addr(), "--server_address=127.0.0.1:0")
	id := p.Says(t, `Registering node: (\S+)`)
	r := fleet.Registry(t, e.Addr())
	n := fleet.Service(t, "greeter", r, nil)
	n.Until(t, n.Began(), 10*time.Second)
	v := fleet.Follow(t, r, "greeter")

	pauses := []string{"/micro/rollcall/pause/go.micro.service.demo/" + id, "/micro/rollcall/pause/greeter/" + n.ID()}
	for _, key := range pauses {
		if _, err := etcd.Put(t.Context(), key, `{"by":"alice"}`); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, 4*time.Second, "both nodes are out", func() bool { return v.Is() && fleet.Listed(r, "go.micro.service.demo", 0) })
	if line := p.Says(t, `(level=warn Registry \[etcd\] Node is paused: .*)`); !strings.Contains(line, id) || !strings.Contains(line, "alice") {
		t.Errorf("the program says %q, want the node and who paused it", line)
	}
	testkit.Eventually(t, 4*time.Second, "readiness says so", func() bool { return strings.Contains(fmt.Sprint(n.Ready()), "paused") })
	testkit.Eventually(t, 5*time.Second, "the health service says so", func() bool { return n.Health(t, "readiness") == "NOT_SERVING" })
	fleet.MustSay(t, n.Client(), "greeter", client.WithAddress(n.Address()))
	for _, key := range pauses {
		if _, err := etcd.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, 4*time.Second, "both nodes are back", func() bool { return v.Is(n.ID()) && fleet.Listed(r, "go.micro.service.demo", 1) })
	p.Says(t, `(level=info Registry \[etcd\] Node was paused and comes back: .*)`)
	p.Says(t, `(level=info Registry \[etcd\] Registered again.*)`)
	testkit.Eventually(t, 4*time.Second, "readiness says so", func() bool { return n.Ready() == nil })
}

// dials tells whether somebody listens on addr.
func dials(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
