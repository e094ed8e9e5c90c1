package center

import (
	"errors"
	"io"
	"io/fs"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/source"
	configetcd "github.com/rollcall-go/micro/config/source/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	backend "github.com/rollcall-go/micro/registry/etcd"
)

// TestAGrantedService: on each etcd, a service with the rights of its grant alone reads
// its configuration, follows it, has its grays, says what it has applied, and registers.
// It writes nothing else.
func TestAGrantedService(t *testing.T) {
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		ctx := t.Context()
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		e.EnableAuth(t, "narrow", "secret")
		root := openAs(t, e, "blue", testkit.Root, testkit.Root)
		if err := errors.Join(tryRelease(ctx, root, "db/port", "1"), tryRelease(ctx, root, "limit", "1")); err != nil {
			t.Fatal(err)
		}
		if _, err := root.Grant(ctx, Grant{User: "shop", Service: "shop", Register: true}, "secret", false); err != nil {
			t.Fatal(err)
		}
		c, err := config.NewConfig(config.WithSource(configetcd.NewSource(
			configetcd.WithAddress(e.Addr()), configetcd.Auth("shop", "secret"), configetcd.Namespace("blue"), configetcd.StripPrefix(true),
			configetcd.Instance(source.Instance{Service: "shop", Node: "shop-1"}))))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
		if got := c.Get("db", "port").Int(0); got != 1 {
			t.Errorf("it reads %d", got)
		}
		if err := tryRelease(ctx, root, "db/port", "2"); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, patience, "it follows a change", func() bool { return c.Get("db", "port").Int(0) == 2 })
		gray := `{"match":{"nodes":["shop-1"]},"values":{"limit":"7"}}`
		if _, err := root.Release(ctx, Draft{Edits: []Edit{{Kind: KindGray, Key: "try", Value: &gray}}}); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, patience, "it has its gray", func() bool { return c.Get("limit").Int(0) == 7 })
		client := e.Client(t)
		testkit.Eventually(t, patience, "it says what it has applied", func() bool {
			got, err := client.Get(ctx, "/blue/micro/rollcall/config/applied/shop/shop-1/", clientv3.WithPrefix())
			return err == nil && len(got.Kvs) == 1
		})

		r := backend.NewRegistry(registry.Addrs(e.Addr()), registry.Timeout(patience), backend.Namespace("blue"), backend.Auth("shop", "secret"))
		t.Cleanup(func() {
			if err := r.(io.Closer).Close(); err != nil {
				t.Error(err)
			}
		})
		node := func(service string) *registry.Service {
			return &registry.Service{Name: service, Version: "1", Nodes: []*registry.Node{{Id: service + "-1", Address: "127.0.0.1:1"}}}
		}
		if err := r.Register(node("shop")); err != nil {
			t.Errorf("it registers: %v", err)
		}
		if err := r.Register(node("other")); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("it registers another service: %v", err)
		}
		if all, err := r.ListServices(); err != nil || len(all) != 1 {
			t.Errorf("it lists %v, %v", all, err)
		}
		own := openAs(t, e, "blue", "shop", "secret")
		if err := tryRelease(ctx, own, "db/port", "3"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("it writes a value: %v", err)
		}
		if _, err := own.History(ctx, Page{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("it reads the history: %v", err)
		}
		as, err := clientv3.New(clientv3.Config{Endpoints: []string{e.URL()}, Username: "shop", Password: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := as.Close(); err != nil {
				t.Error(err)
			}
		})
		for _, key := range []string{"/blue/micro/config/x", "/blue/micro/rollcall/config/gray/x", "/blue/micro/rollcall/config/applied/other/x", "/blue/micro/rollcall/pause/shop/shop-1", "/x"} {
			if _, err := as.Put(ctx, key, "{}"); err == nil {
				t.Errorf("it writes %s", key)
			}
		}
		lease, err := client.Grant(ctx, 600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Put(ctx, "/blue/micro/registry/other/other-1", "{}", clientv3.WithLease(lease.ID)); err != nil {
			t.Fatal(err)
		}
		if _, err := as.Revoke(ctx, lease.ID); err == nil {
			t.Error("it ends the lease of a key that it may not write")
		}
	})
}
