package etcd

import (
	"errors"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/rollcall-go/micro/internal/testkit"
)

func authentications(t *testing.T, e *testkit.Etcd) int {
	return metric(t, e, `grpc_server_started_total{grpc_method="Authenticate",`)
}

func TestWrongPasswordThenRight(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		e.EnableAuth(t, "svc", "right")
		c := open(t, Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "other"})
		err := get(t, c)
		wantText(t, err, "read a key", `authentication failed for user "svc"`, e.Addr())
		if !errors.Is(err, rpctypes.ErrAuthFailed) {
			t.Errorf("the error %v hides etcd's", err)
		}
		wantText(t, c.Link().Err, `user "svc"`)

		e.SetPassword(t, "svc", "other")
		put := time.Now()
		testkit.Eventually(t, soon, "the password is accepted", func() bool { return get(t, c) == nil })
		if late := time.Since(put); late > 4*time.Second {
			t.Errorf("accepted %v after the password was put right", late)
		}
		testkit.Eventually(t, soon, "the link is well", func() bool { l := c.Link(); return l.Up && l.Err == nil })
	})
}

func TestWrongPasswordDoesNotStormEtcd(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "svc", "right")
	c := open(t, Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "wrong"})
	before, begun := authentications(t, e), time.Now()
	for range 3 {
		if err := get(t, c); err == nil {
			t.Fatal("the wrong password was accepted")
		}
	}
	if n, limit := authentications(t, e)-before, 1+int(time.Since(begun)/authEvery); n > limit {
		t.Errorf("%d authentications in %v, want at most %d", n, time.Since(begun), limit)
	}
}

// etcd forgets simple tokens when it restarts. Requests and watches both go on.
func TestRestartForgetsTokens(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		e.EnableAuth(t, "svc", "pw")
		before := authentications(t, e)
		c := open(t, Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "pw"})
		var all []*recorder
		for range 10 {
			r, _ := follow(t, c, "/micro/")
			all = append(all, r)
		}
		for _, r := range all {
			r.awaitLive(t)
		}
		if n := authentications(t, e) - before; n != 1 {
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
	c := open(t, Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "pw"})
	if err := get(t, c); err != nil {
		t.Fatalf("an etcd without users refuses one: %v", err)
	}
	e.EnableAuth(t, "svc", "pw")
	r, _ := follow(t, c, "/micro/")
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
	c := open(t, Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "pw"})
	r, _ := follow(t, c, "/elsewhere/")
	testkit.Eventually(t, soon, "the mirror says why", func() bool { return r.status().Err != nil })
	wantText(t, r.status().Err, `user "svc" lacks the permission`, e.Addr())
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
	c := open(t, Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "pw"})
	old, _ := follow(t, c, "/micro/a")
	old.awaitLive(t)
	root := e.Client(t)
	if _, err := root.AuthDisable(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := root.AuthEnable(t.Context()); err != nil {
		t.Fatal(err)
	}
	another, _ := follow(t, c, "/micro/b")
	another.awaitLive(t)
	put(t, root, "/micro/a", "1")
	put(t, root, "/micro/b", "1")
	old.await(t, soon, "/micro/a=1", "/micro/a")
	another.await(t, soon, "/micro/b=1", "/micro/b")
	if l := c.Link(); l.Generation != 1 {
		t.Errorf("generation %d, want the first connection", l.Generation)
	}
}
