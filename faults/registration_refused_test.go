package faults

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// Where a registry refuses, what it says is told within atOnce, although there is
// the time of refusalTimeout: waiting would change nothing.
const (
	refusalTimeout = 20 * time.Second
	atOnce         = 1500 * time.Millisecond
)

// refused checks a service whose registry refuses it: it serves, and everything
// says at once what is wrong.
func refused(t *testing.T, n *fleet.Node, r registry.Registry, says ...string) {
	t.Helper()
	fleet.MustSay(t, n.Client(), "greeter", client.WithAddress(n.Address()))
	svc := &registry.Service{Name: "other", Version: "1", Nodes: []*registry.Node{{Id: "other-1", Address: "127.0.0.1:1"}}}
	c := fleet.Client(t, r)
	var all sync.WaitGroup
	for what, call := range map[string]func() error{
		"Register":     func() error { return r.Register(svc) },
		"GetService":   func() error { _, err := r.GetService("greeter"); return err },
		"ListServices": func() error { _, err := r.ListServices(); return err },
		"Watch":        func() error { _, err := r.Watch(); return err },
		"readiness":    n.Ready,
		"a call":       func() error { return fleet.Say(t.Context(), c, "elsewhere", client.WithRequestTimeout(refusalTimeout)) },
	} {
		all.Go(func() {
			began := time.Now()
			err := call()
			took := time.Since(began)
			within(t, what+" refused", took, atOnce)
			if err == nil {
				t.Errorf("%s succeeded", what)
				return
			}
			t.Logf("%s: %v", what, err)
			for _, s := range says {
				if !strings.Contains(strings.ReplaceAll(err.Error(), `\"`, `"`), s) {
					t.Errorf("%s: %q does not say %q", what, err, s)
				}
			}
		})
	}
	all.Wait()
	if got := n.Health(t, "readiness"); got != "NOT_SERVING" {
		t.Errorf("readiness is %s", got)
	}
	if got := n.Health(t, ""); got != "SERVING" {
		t.Errorf("liveness is %s: a registry that is away is no reason to restart the process", got)
	}
}

// Row A17: etcd knows the user by another password.
func TestA17WrongPassword(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		e.EnableAuth(t, "alice", "right")
		r := fleet.Registry(t, e.Addr(), etcd.Auth("alice", "wrong"), registry.Timeout(refusalTimeout))
		n := fleet.Service(t, "greeter", r, nil)
		testkit.Eventually(t, 5*time.Second, "the refusal is known", func() bool { return strings.Contains(fmt.Sprint(n.Ready()), "alice") })
		refused(t, n, r, "authentication failed", "alice", e.Addr())
		put := time.Now()
		e.SetPassword(t, "alice", "wrong")
		t.Logf("registered %v after the password was put right", n.Until(t, put, 4*time.Second))
		fleet.MustSay(t, fleet.Client(t, r), "greeter")
	})
}

// Row A17: etcd has a certificate of an authority that the service does not trust.
func TestA17WrongAuthority(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		theirs, ours := testkit.NewCA(t), testkit.NewCA(t)
		e := testkit.StartEtcd(t, testkit.OfKind(kind), testkit.WithTLS(theirs))
		r := fleet.Registry(t, e.Addr(), registry.TLSConfig(ours.TLS()), registry.Timeout(refusalTimeout))
		n := fleet.Service(t, "greeter", r, nil)
		testkit.Eventually(t, 5*time.Second, "the refusal is known", func() bool { return strings.Contains(fmt.Sprint(n.Ready()), "certificate") })
		refused(t, n, r, "certificate", e.Addr())
		back := e.RestartTLS(t, ours)
		t.Logf("registered %v after the certificate was replaced", n.Until(t, back, 4*time.Second))
		fleet.MustSay(t, fleet.Client(t, r), "greeter")
	})
}
