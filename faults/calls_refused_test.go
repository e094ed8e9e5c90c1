package faults

import (
	"io/fs"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// TestC7RefusedIsToldAtOnce: a registry that refuses us, or that what is configured
// does not fit, is not waited for. Bound: 500 ms for a refusal, which is 401 for a bad
// or missing login and 403 for a missing right; 3 s for what does not fit and may yet
// mend itself, which is given half a second from when it is noticed, at the second
// attempt to connect; and 500 ms from the second call on.
func TestC7RefusedIsToldAtOnce(t *testing.T) {
	t.Parallel()
	const (
		refused  = 500 * time.Millisecond
		mismatch = 3 * time.Second
		deadline = 20 * time.Second
	)
	ca, other := testkit.NewCA(t), testkit.NewCA(t)
	secure, users := testkit.StartEtcd(t, testkit.WithTLS(ca)), testkit.StartEtcd(t)
	users.EnableAuth(t, "alice", "right")
	users.AddUser(t, "narrow", "right", testkit.Right{Prefix: "/micro/registry/other/", Read: true, Write: true})
	for what, tt := range map[string]struct {
		etcd    *testkit.Etcd
		options []registry.Option
		bound   time.Duration // of the first call
		code    int32
		says    []string
	}{
		"wrong password": {users, []registry.Option{etcd.Auth("alice", "wrong")}, refused, 401,
			[]string{"refuses the credentials", `authentication failed for user "alice"`}},
		"no password": {users, nil, refused, 401,
			[]string{"refuses the credentials", "it wants a user and a password"}},
		"missing right": {users, []registry.Option{etcd.Auth("narrow", "right")}, refused, 403,
			[]string{"does not allow to read it", `user "narrow" lacks the permission`}},
		"another authority": {secure, []registry.Option{registry.TLSConfig(other.TLS())}, mismatch, 500,
			[]string{"has not answered yet", "unknown authority"}},
		"plain text to TLS": {secure, nil, mismatch, 500,
			[]string{"has not answered yet", "speaks TLS"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := fleet.Client(t, fleet.Registry(t, tt.etcd.Addr(), tt.options...))
			for call, bound := range []time.Duration{tt.bound, refused, refused} {
				begun := time.Now()
				err := fleet.Say(t.Context(), c, "any", client.WithRequestTimeout(deadline))
				took := time.Since(begun).Round(time.Millisecond)
				t.Logf("measured: call %d told after %s, bound %s", call+1, took, bound)
				if took > bound {
					t.Errorf("call %d: told after %s, the bound is %s", call+1, took, bound)
				}
				mustName(t, err, selector.ErrNoneAvailable, append(tt.says, tt.etcd.Addr())...)
				mustHaveCode(t, err, tt.code)
				if tt.code != 500 {
					mustName(t, err, fs.ErrPermission)
				}
			}
		})
	}
}

func mustHaveCode(t *testing.T, err error, code int32) {
	t.Helper()
	if e := errors.FromError(err); e.Code != code {
		t.Errorf("%v has code %d, want %d", err, e.Code, code)
	}
}
