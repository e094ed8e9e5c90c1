package etcd

import (
	"errors"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/rollcall-go/micro/internal/testkit"
)

func authentications(t *testing.T, e *testkit.Etcd) int {
	return e.Metric(t, `grpc_server_started_total{grpc_method="Authenticate",`)
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
