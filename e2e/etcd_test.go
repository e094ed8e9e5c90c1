package e2e

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
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
				n := fleet.Service(t, "greeter", fleet.Registry(t, e.Addr(), tc.open...), nil)
				t.Logf("registered %v after the start", n.Until(t, n.Began(), 10*time.Second))
				// The health service hears of the registration beside whoever asks Ready.
				testkit.Eventually(t, 5*time.Second, "readiness is SERVING", func() bool { return n.Health(t, "readiness") == "SERVING" })
				r := fleet.Registry(t, e.Addr(), tc.open...)
				fleet.MustSay(t, fleet.Client(t, r), "greeter")
				if err := n.Stop(); err != nil {
					t.Errorf("stop: %v", err)
				}
				if left, err := fleet.IDs(r, "greeter"); err != nil || len(left) > 0 {
					t.Errorf("%v is left (%v)", left, err)
				}
			})
		}
	})
}

func TestTwoServicesInOneProcess(t *testing.T) {
	t.Parallel()
	east, west := testkit.StartEtcd(t), testkit.StartEtcd(t)
	re, rw := fleet.Registry(t, east.Addr()), fleet.Registry(t, west.Addr())
	a := fleet.Service(t, "a", re, []server.Option{server.Metadata(map[string]string{"zone": "east"})})
	b := fleet.Service(t, "b", rw, []server.Option{server.Metadata(map[string]string{"zone": "west"})})
	a.Until(t, a.Began(), 10*time.Second)
	b.Until(t, b.Began(), 10*time.Second)
	fleet.MustSay(t, a.Client(), "a")
	fleet.MustSay(t, b.Client(), "b")
	if _, err := fleet.Call(t.Context(), a.Client(), "b", "Say", "x"); err == nil {
		t.Error("a finds what is registered elsewhere")
	}
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
	fleet.MustSay(t, b.Client(), "b")
	if got, err := rw.GetService("b"); err != nil || got[0].Nodes[0].Metadata["zone"] != "west" {
		t.Errorf("b is %v (%v)", got, err)
	}
}
