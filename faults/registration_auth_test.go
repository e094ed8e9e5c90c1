package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry/etcd"
)

// TestA6InvalidToken: with users on, tokens end after seconds (simple and JWT), a
// user is added, and etcd restarts, which forgets all simple tokens. Each time a
// registration and a Watcher work again at most 5 s later.
func TestA6InvalidToken(t *testing.T) {
	t.Parallel()
	const bound, life = 5 * time.Second, 5 * time.Second
	for token, opts := range map[string][]testkit.EtcdOption{
		"simple-3.7": nil,
		"simple-3.4": {testkit.OfKind(testkit.Debian), testkit.WithTokenTTL(life)},
		"jwt-3.4":    {testkit.OfKind(testkit.Debian), testkit.WithJWT(t, life)},
	} {
		t.Run(token, func(t *testing.T) {
			t.Parallel()
			e := testkit.StartEtcd(t, opts...)
			e.EnableAuth(t, "svc", "secret")
			p := testkit.StartProxy(t, e.Addr())
			r := fleet.Registry(t, p.Addr(), etcd.Auth("svc", "secret"))
			seen := fleet.Follow(t, fleet.Registry(t, p.Addr(), etcd.Auth("svc", "secret")), "s")
			register(t, r, fleet.Record("s", "a"), 3*time.Second)
			testkit.Eventually(t, patience, "the Watcher saw the node", func() bool { return len(seen.Nodes()) == 1 })
			nodes := 1
			works := func(what string, begin time.Time) {
				t.Helper()
				nodes++
				id := fmt.Sprint("a", nodes)
				within(t, what+": registered", since(t, begin, "a node can be registered", func() bool {
					return r.Register(fleet.Record("s", id)) == nil
				}), bound)
				within(t, what+": seen by a Watcher", since(t, begin, "the Watcher saw it", func() bool { return len(seen.Nodes()) == nodes }), bound)
			}
			before := e.Metric(t, authentications)
			testkit.Elapse(t, life+time.Second)
			works("token ended", time.Now())
			// The root of a client of etcd's own, used at once: its token is fresh.
			if _, err := e.Client(t).UserAdd(t.Context(), "another", "secret"); err != nil {
				t.Fatal(err)
			}
			works("user added", time.Now())
			if token == "jwt-3.4" && e.Metric(t, authentications) == before {
				t.Error("nobody had to authenticate again: no token ended")
			}
			works("etcd restarted", e.Restart(t))
			works("all connections cut", func() time.Time { p.Cut(); p.Restore(t); return time.Now() }())
			got, err := e.Client(t).Get(t.Context(), "/micro/registry/s/", clientv3.WithPrefix(), clientv3.WithCountOnly())
			if err != nil || int(got.Count) != nodes {
				t.Errorf("%d nodes are there (%v), want %d", got.Count, err, nodes)
			}
		})
	}
}

// TestA6RefusalIsToldOnce: while etcd refuses a service that gives no password, the
// service says so at most once a second.
func TestA6RefusalIsToldOnce(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "svc", "secret")
	began := time.Now()
	p := fleet.Process(t, "--registry=etcd", "--registry_address="+e.Addr(), "--register_ttl=2", "--register_interval=1")
	p.Says(t, "level=error")
	testkit.Elapse(t, times(5*time.Second, time.Minute))
	errors := p.Lines("level=error") + p.Lines("level=warn")
	atMost(t, "lines of warnings and errors", errors, 1+int(time.Since(began)/time.Second))
	if !strings.Contains(p.Output(), e.Addr()) {
		t.Error("the lines do not name the address")
	}
}
