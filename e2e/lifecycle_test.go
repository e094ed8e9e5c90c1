package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// TestTermination ends a service by SIGTERM with a call in flight: it leaves the
// registry first, then finishes the call, and only then closes its door.
func TestTermination(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	etcd := e.Client(t)
	p := startProgram(t, "service", nil, "--registry=etcd", "--registry_address="+e.Addr(), "--server_address=127.0.0.1:0")
	addr := p.says(t, `Listening on (\S+)`)
	p.says(t, `Registering node: (\S+)`)
	c := newClient(t, openRegistry(t, e.Addr()))
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
	half := time.NewTimer(300 * time.Millisecond)
	<-half.C

	begin := time.Now()
	p.signal(t, terminate)
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
	if code := p.wait(t, 5*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	t.Logf("the key was gone %v after SIGTERM, the process %v", gone.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond))
	if dials(addr) {
		t.Error("somebody still listens")
	}
	p.says(t, `Deregistering node: (\S+)`)
	if err := ask(0); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("a call after the end: %v", err)
	}
}

// TestStopLosesNoCall stops one of two nodes under calls that never pause.
func TestStopLosesNoCall(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	leaving := startProgram(t, "service", nil, "--registry=etcd", "--registry_address="+e.Addr(), "--server_address=127.0.0.1:0")
	staying := startProgram(t, "service", nil, "--registry=etcd", "--registry_address="+e.Addr(), "--server_address=127.0.0.1:0")
	leaving.says(t, "Registering node: (.*)")
	staying.says(t, "Registering node: (.*)")
	greeter := legacypb.NewGreeterService("go.micro.service.demo", newClient(t, openRegistry(t, e.Addr())))
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
	leaving.signal(t, terminate)
	if code := leaving.wait(t, 5*time.Second); code != 0 {
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
	p := startProgram(t, "service", nil, "--registry=etcd", "--registry_address="+e.Addr(), "--server_address=127.0.0.1:0")
	id := p.says(t, `Registering node: (\S+)`)
	r := openRegistry(t, e.Addr())
	n := start(t, "greeter", r)
	n.until(t, n.began, 2*time.Second)
	v := watch(t, r, "greeter")

	pauses := []string{"/micro/rollcall/pause/go.micro.service.demo/" + id, "/micro/rollcall/pause/greeter/" + n.id()}
	for _, key := range pauses {
		put(t, etcd, key, `{"by":"alice"}`)
	}
	testkit.Eventually(t, 4*time.Second, "both nodes are out", func() bool { return v.is(map[string]bool{}) && has(r, "go.micro.service.demo") == 0 })
	if line := p.says(t, `(level=warn Registry \[etcd\] Node is paused: .*)`); !strings.Contains(line, id) || !strings.Contains(line, "alice") {
		t.Errorf("the program says %q, want the node and who paused it", line)
	}
	testkit.Eventually(t, 4*time.Second, "readiness says so", func() bool { return strings.Contains(fmt.Sprint(n.ready()), "paused") })
	testkit.Eventually(t, time.Second, "the health service says so", func() bool { return n.health(t, "readiness") == "NOT_SERVING" })
	mustSay(t, n.Client(), "greeter", client.WithAddress(n.address()))
	for _, key := range pauses {
		remove(t, etcd, key)
	}
	testkit.Eventually(t, 4*time.Second, "both nodes are back", func() bool { return v.is(map[string]bool{n.id(): true}) && has(r, "go.micro.service.demo") == 1 })
	p.says(t, `(level=info Registry \[etcd\] Node was paused and comes back: .*)`)
	p.says(t, `(level=info Registry \[etcd\] Registered again.*)`)
	testkit.Eventually(t, 4*time.Second, "readiness says so", func() bool { return n.ready() == nil })
}

// has returns how many nodes of the service r has, -1 if it cannot tell.
func has(r registry.Registry, service string) int {
	all, err := ids(r, service)
	if err != nil {
		return -1
	}
	return len(all)
}

// TestDisplaced starts a second service with the first one's id.
func TestDisplaced(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	r := openRegistry(t, e.Addr())
	same := []server.Option{server.Id("1")}
	older := startServer(t, "greeter", openRegistry(t, e.Addr()), same)
	older.until(t, older.began, 2*time.Second)
	newer := startServer(t, "greeter", openRegistry(t, e.Addr()), same)
	newer.until(t, newer.began, 2*time.Second)
	testkit.Eventually(t, 4*time.Second, "the older knows that it was displaced", func() bool { return strings.Contains(fmt.Sprint(older.ready()), "displaced") })
	registered := func() string {
		got, err := r.GetService("greeter")
		if err != nil || len(got) != 1 || len(got[0].Nodes) != 1 {
			return fmt.Sprint(got, err)
		}
		return got[0].Nodes[0].Address
	}
	if got := registered(); got != newer.address() {
		t.Errorf("%s is registered, want the newer, %s", got, newer.address())
	}
	// The older leaves what is not its own.
	if err := older.stop(); err != nil {
		t.Errorf("stop the older: %v", err)
	}
	if got := registered(); got != newer.address() {
		t.Errorf("%s is registered after the older has left, want %s", got, newer.address())
	}
	if err := newer.ready(); err != nil {
		t.Errorf("the newer: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if got, err := say(ctx, newClient(t, r), "greeter", "x"); err != nil || got != "x" {
		t.Errorf("got %q, %v", got, err)
	}
}
