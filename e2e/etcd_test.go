package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/server"
)

// eachKind runs f for each kind of etcd, side by side.
func eachKind(t *testing.T, f func(t *testing.T, kind testkit.Kind)) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		f(t, kind)
	})
}

func TestServiceIsCalledByName(t *testing.T) {
	eachKind(t, func(t *testing.T, kind testkit.Kind) {
		ca := testkit.NewCA(t)
		for name, tc := range map[string]struct {
			start []testkit.EtcdOption
			open  []registry.Option
		}{
			"plain": {},
			"TLS":   {[]testkit.EtcdOption{testkit.WithTLS(ca)}, []registry.Option{registry.TLSConfig(ca.TLS())}},
			"users": {nil, []registry.Option{etcd.Auth("alice", "secret")}},
		} {
			t.Run(name, func(t *testing.T) {
				e := testkit.StartEtcd(t, append(tc.start, testkit.OfKind(kind))...)
				if name == "users" {
					e.EnableAuth(t, "alice", "secret")
				}
				n := start(t, "greeter", openRegistry(t, e.Addr(), tc.open...))
				t.Logf("registered %v after the start", n.until(t, n.began, 2*time.Second))
				// The health service hears of the registration beside whoever asks Ready.
				testkit.Eventually(t, time.Second, "readiness is SERVING", func() bool { return n.health(t, "readiness") == "SERVING" })
				r := openRegistry(t, e.Addr(), tc.open...)
				mustSay(t, newClient(t, r), "greeter")
				if err := n.stop(); err != nil {
					t.Errorf("stop: %v", err)
				}
				if left, err := ids(r, "greeter"); err != nil || len(left) > 0 {
					t.Errorf("%v is left (%v)", left, err)
				}
			})
		}
	})
}

// refused checks a service whose registry refuses it: it serves, and everything
// says what is wrong.
func refused(t *testing.T, n *node, r registry.Registry, says ...string) {
	t.Helper()
	mustSay(t, n.Client(), "greeter", client.WithAddress(n.address()))
	svc := &registry.Service{Name: "other", Version: "1", Nodes: []*registry.Node{{Id: "other-1", Address: "127.0.0.1:1"}}}
	var all sync.WaitGroup
	for what, call := range map[string]func() error{
		"Register":     func() error { return r.Register(svc) },
		"GetService":   func() error { _, err := r.GetService("greeter"); return err },
		"ListServices": func() error { _, err := r.ListServices(); return err },
		"Watch":        func() error { _, err := r.Watch(); return err },
		"readiness":    n.ready,
	} {
		all.Go(func() {
			began := time.Now()
			err := call()
			took := time.Since(began)
			if took > timeout+200*time.Millisecond {
				t.Errorf("%s took %v, the timeout is %v", what, took, timeout)
			}
			if err == nil {
				t.Errorf("%s succeeded", what)
				return
			}
			t.Logf("%s after %v: %v", what, took.Round(time.Millisecond), err)
			for _, s := range says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%s: %q does not say %q", what, err, s)
				}
			}
		})
	}
	all.Wait()
	if got := n.health(t, "readiness"); got != "NOT_SERVING" {
		t.Errorf("readiness is %s", got)
	}
	if got := n.health(t, ""); got != "SERVING" {
		t.Errorf("liveness is %s: a registry that is away is no reason to restart the process", got)
	}
}

func TestWrongPassword(t *testing.T) {
	eachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		e.EnableAuth(t, "alice", "right")
		r := openRegistry(t, e.Addr(), etcd.Auth("alice", "wrong"))
		n := start(t, "greeter", r)
		testkit.Eventually(t, 5*time.Second, "the refusal is known", func() bool { return strings.Contains(fmt.Sprint(n.ready()), "alice") })
		refused(t, n, r, "authentication failed", "alice", e.Addr())
		put := time.Now()
		e.SetPassword(t, "alice", "wrong")
		t.Logf("registered %v after the password was put right", n.until(t, put, 4*time.Second))
		mustSay(t, newClient(t, r), "greeter")
	})
}

func TestWrongAuthority(t *testing.T) {
	eachKind(t, func(t *testing.T, kind testkit.Kind) {
		theirs, ours := testkit.NewCA(t), testkit.NewCA(t)
		e := testkit.StartEtcd(t, testkit.OfKind(kind), testkit.WithTLS(theirs))
		r := openRegistry(t, e.Addr(), registry.TLSConfig(ours.TLS()))
		n := start(t, "greeter", r)
		testkit.Eventually(t, 5*time.Second, "the refusal is known", func() bool { return strings.Contains(fmt.Sprint(n.ready()), "certificate") })
		refused(t, n, r, "certificate", e.Addr())
		back := e.RestartTLS(t, ours)
		t.Logf("registered %v after the certificate was replaced", n.until(t, back, 4*time.Second))
		mustSay(t, newClient(t, r), "greeter")
	})
}

func TestEtcdIsAwayAtTheStart(t *testing.T) {
	eachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		e.Kill()
		n := start(t, "greeter", openRegistry(t, e.Addr()))
		listening := time.Since(n.began)
		t.Logf("listening after %v", listening)
		if listening > 300*time.Millisecond {
			t.Errorf("listening after %v, want at most 300 ms", listening)
		}
		mustSay(t, n.Client(), "greeter", client.WithAddress(n.address()))
		testkit.Eventually(t, 5*time.Second, "the cause is known", func() bool { return strings.Contains(fmt.Sprint(n.ready()), "connection refused") })
		back := e.Restart(t)
		t.Logf("registered %v after etcd appeared", n.until(t, back, 2*time.Second))
		mustSay(t, newClient(t, openRegistry(t, e.Addr())), "greeter")
	})
}

func TestTwoServicesInOneProcess(t *testing.T) {
	t.Parallel()
	east, west := testkit.StartEtcd(t), testkit.StartEtcd(t)
	re, rw := openRegistry(t, east.Addr()), openRegistry(t, west.Addr())
	a := startServer(t, "a", re, []server.Option{server.Metadata(map[string]string{"zone": "east"})})
	b := startServer(t, "b", rw, []server.Option{server.Metadata(map[string]string{"zone": "west"})})
	a.until(t, a.began, 2*time.Second)
	b.until(t, b.began, 2*time.Second)
	mustSay(t, a.Client(), "a")
	mustSay(t, b.Client(), "b")
	if _, err := say(t.Context(), a.Client(), "b", "x"); err == nil {
		t.Error("a finds what is registered elsewhere")
	}
	if err := a.stop(); err != nil {
		t.Error(err)
	}
	mustSay(t, b.Client(), "b")
	if got, err := rw.GetService("b"); err != nil || got[0].Nodes[0].Metadata["zone"] != "west" {
		t.Errorf("b is %v (%v)", got, err)
	}
}
