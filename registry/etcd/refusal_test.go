package etcd_test

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// A refusal is told at once, by every method: the answer is there, and waiting for
// the timeout would not change it.
func TestRefusalsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	const timeout = 20 * time.Second
	ca, other := testkit.NewCA(t), testkit.NewCA(t)
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		users := testkit.StartEtcd(t, testkit.OfKind(kind))
		users.EnableAuth(t, "alice", "right")
		users.AddUser(t, "narrow", "right", testkit.Right{Prefix: "/micro/registry/other/", Read: true, Write: true})
		secure := testkit.StartEtcd(t, testkit.OfKind(kind), testkit.WithTLS(ca))
		for what, tt := range map[string]struct {
			addr       string
			options    []registry.Option
			permission bool
			text       string
		}{
			"wrong password":    {users.Addr(), []registry.Option{etcd.Auth("alice", "wrong")}, true, `authentication failed for user "alice"`},
			"no password":       {users.Addr(), nil, true, "it wants a user and a password, and none are given"},
			"missing right":     {users.Addr(), []registry.Option{etcd.Auth("narrow", "right")}, true, `user "narrow" lacks the permission`},
			"another authority": {secure.Addr(), []registry.Option{registry.TLSConfig(other.TLS())}, false, "unknown authority"},
			"another name":      {secure.Addr(), []registry.Option{registry.TLSConfig(&tls.Config{RootCAs: ca.TLS().RootCAs, ServerName: "x.example"})}, false, "x.example"},
			"plain text to TLS": {secure.Addr(), nil, false, "speaks TLS"},
		} {
			t.Run(what, func(t *testing.T) {
				t.Parallel()
				r := open(t, tt.addr, append(tt.options, registry.Timeout(timeout))...)
				var all sync.WaitGroup
				defer all.Wait()
				for name, call := range map[string]func() error{
					"Register":     func() error { return r.Register(service("s", "a")) },
					"GetService":   func() error { _, err := r.GetService("s"); return err },
					"ListServices": func() error { _, err := r.ListServices(); return err },
					"Watch":        func() error { _, err := r.Watch(); return err },
					"Watch s":      func() error { _, err := r.Watch(registry.WatchService("s")); return err },
				} {
					all.Go(func() {
						begun := time.Now()
						err := call()
						took := time.Since(begun)
						if err == nil || !strings.Contains(err.Error(), tt.text) || errors.Is(err, fs.ErrPermission) != tt.permission {
							t.Errorf("%s: %v, want %q in it, about permission %v", name, err, tt.text, tt.permission)
						}
						if took > timeout/2 {
							t.Errorf("%s took %v", name, took)
						}
					})
				}
			})
		}
	})
}
