package mirror

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
)

// authentications is the metric that counts requests for a token.
const authentications = `grpc_server_started_total{grpc_method="Authenticate",`

// etcd forgets simple tokens when it restarts. Requests and watches both go on.
func TestRestartForgetsTokens(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		e.EnableAuth(t, "svc", "pw")
		before := e.Metric(t, authentications)
		c := open(t, etcd.Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "pw"})
		var all []*recorder
		for range 10 {
			r, _ := following(t, c, "/micro/")
			all = append(all, r)
		}
		for _, r := range all {
			r.awaitLive(t)
		}
		if n := e.Metric(t, authentications) - before; n != 1 {
			t.Errorf("%d authentications for one connection, want 1", n)
		}
		e.Kill()
		e.Restart(t)
		back := time.Now()
		put(t, e.Client(t), "/micro/a", "1")
		for _, r := range all {
			r.await(t, 4*time.Second-time.Since(back), "/micro/a=1", "/micro/a")
			r.awaitLive(t)
		}
		if err := get(t, c); err != nil {
			t.Error(err)
		}
	})
}

// Users that are turned on while the program runs, and a change of the users.
func TestUsersChangeWhileRunning(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "pw"})
	if err := get(t, c); err != nil {
		t.Fatalf("an etcd without users refuses one: %v", err)
	}
	e.EnableAuth(t, "svc", "pw")
	r, _ := following(t, c, "/micro/")
	r.awaitLive(t)
	if _, err := e.Client(t).UserAdd(t.Context(), "another", "pw"); err != nil {
		t.Fatal(err)
	}
	put(t, e.Client(t), "/micro/a", "1")
	r.await(t, soon, "/micro/a=1", "/micro/a")
	if err := get(t, c); err != nil {
		t.Error(err)
	}
}

func TestMissingPermission(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "svc", "pw")
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "pw"})
	r, _ := following(t, c, "/elsewhere/")
	testkit.Eventually(t, soon, "the mirror says why", func() bool { return r.status().Err != nil })
	if text := r.status().Err.Error(); !strings.Contains(text, `user "svc" lacks the permission`) || !strings.Contains(text, e.Addr()) {
		t.Errorf("got %q, want the user and the address", text)
	}
	if len(r.seen()) != 0 {
		t.Errorf("an unreadable prefix was reported as %+v", r.seen())
	}
}

// A stream keeps the token that it was opened with, and etcd looks at it whenever
// a watch is added.
func TestTokenEndsWhileAStreamStands(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "svc", "pw")
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "pw"})
	old, _ := following(t, c, "/micro/a")
	old.awaitLive(t)
	root := e.Client(t)
	if _, err := root.AuthDisable(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := root.AuthEnable(t.Context()); err != nil {
		t.Fatal(err)
	}
	another, _ := following(t, c, "/micro/b")
	another.awaitLive(t)
	put(t, root, "/micro/a", "1")
	put(t, root, "/micro/b", "1")
	old.await(t, soon, "/micro/a=1", "/micro/a")
	another.await(t, soon, "/micro/b=1", "/micro/b")
	if l := c.Link(); l.Generation != 1 {
		t.Errorf("generation %d, want the first connection", l.Generation)
	}
}
