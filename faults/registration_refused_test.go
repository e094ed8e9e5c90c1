package faults

import (
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	merrors "github.com/rollcall-go/micro/errors"
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

// Row C7: a caller may see one service and not another. A call to the other says so
// at once, with code 403, and names the right and not the password; a wrong password
// is code 401.
func TestC7RefusalsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		e.EnableAuth(t, "alice", "right")
		e.AddUser(t, "narrow", "right", testkit.Right{Prefix: "/micro/registry/greeter/", Read: true, Write: true})
		n := fleet.Service(t, "greeter", fleet.Registry(t, e.Addr(), etcd.Auth("alice", "right")), nil)
		testkit.Passes(t, patience, "the service is registered", n.Ready)
		narrow := fleet.Client(t, fleet.Registry(t, e.Addr(), etcd.Auth("narrow", "right"), registry.Timeout(refusalTimeout)))
		fleet.MustSay(t, narrow, "greeter")
		wrong := fleet.Client(t, fleet.Registry(t, e.Addr(), etcd.Auth("narrow", "wrong"), registry.Timeout(refusalTimeout)))
		for what, tc := range map[string]struct {
			client client.Client
			code   int32
			says   string
		}{
			"a missing right":  {narrow, 403, `user "narrow" lacks the permission`},
			"a wrong password": {wrong, 401, "authentication failed"},
		} {
			began := time.Now()
			err := fleet.Say(t.Context(), tc.client, "other", client.WithRequestTimeout(refusalTimeout))
			within(t, what+" told", time.Since(began), atOnce)
			mustName(t, err, fs.ErrPermission, tc.says, e.Addr())
			if got := merrors.FromError(err).Code; got != tc.code {
				t.Errorf("%s: code %d, want %d: %v", what, got, tc.code, err)
			}
			if tc.code == 403 && strings.Contains(err.Error(), "credentials") {
				t.Errorf("%s: %v blames the credentials", what, err)
			}
		}
	})
}
