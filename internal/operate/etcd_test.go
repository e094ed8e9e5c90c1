package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	etcdreg "github.com/rollcall-go/micro/registry/etcd"
)

// operator returns one over a connection to server.
func operator(t *testing.T, server *testkit.Etcd, user string) Operator {
	t.Helper()
	cfg := etcd.Config{Addrs: []string{server.Addr()}, Timeout: 5 * time.Second}
	if user != "" {
		cfg.Username, cfg.Password = user, "secret"
	}
	conn := etcd.Open(cfg)
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return Etcd(conn, layout.Layout{})
}

// register writes the record of a node of the service "shop". Without a time to
// live it stands on no lease.
func register(t *testing.T, c *clientv3.Client, id, address string, ttl int64) {
	t.Helper()
	var options []clientv3.OpOption
	if ttl > 0 {
		lease, err := c.Grant(t.Context(), ttl)
		if err != nil {
			t.Fatal(err)
		}
		options = append(options, clientv3.WithLease(lease.ID))
	}
	record := fmt.Sprintf(`{"name":"shop","version":"1","nodes":[{"id":%q,"address":%q}]}`, id, address)
	if _, err := c.Put(t.Context(), layout.Layout{}.Node("shop", id), record, options...); err != nil {
		t.Fatal(err)
	}
}

// one returns the registered node.
func one(t *testing.T, o Operator, id string) Node {
	t.Helper()
	nodes, err := o.Nodes(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		if n.Id == id {
			return n
		}
	}
	t.Fatalf("there is no %q in %v", id, nodes)
	return Node{}
}

func registryIn(t *testing.T, server *testkit.Etcd) registry.Registry {
	t.Helper()
	r := etcdreg.NewRegistry(registry.Addrs(server.Addr()))
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// dead is an address at which nothing answers.
const dead = "127.0.0.1:1"

func TestNodesAndTheirLeases(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		c := server.Client(t)
		register(t, c, "shop-1", dead, 60)
		register(t, c, "shop-2", dead, 0)
		if _, err := c.Put(t.Context(), "/micro/registry/shop/bad", "no record"); err != nil {
			t.Fatal(err)
		}
		o := operator(t, server, "")
		nodes, err := o.Nodes(t.Context(), "shop")
		if err != nil || len(nodes) != 2 || nodes[0].Id != "shop-1" || nodes[1].Id != "shop-2" || nodes[1].at.(place).lease != 0 || nodes[0].Service.Version != "1" {
			t.Fatalf("got %+v, %v", nodes, err)
		}
		leases := o.Standing(t.Context(), nodes)
		l := leases["shop-1"].Lease
		if len(leases) != 1 || l == nil || l.Granted != time.Minute || l.Left > time.Minute || l.Left < 30*time.Second || !l.Fresh() {
			t.Errorf("got %v", leases)
		}
		if none, err := o.Nodes(t.Context(), "other"); err != nil || len(none) != 0 {
			t.Errorf("another service has %v, %v", none, err)
		}
	})
}

func TestFresh(t *testing.T) {
	for _, tt := range []struct {
		left, granted time.Duration
		want          bool
	}{{15, 15, true}, {9, 15, true}, {8, 15, false}, {0, 15, false}, {-1, 15, false}, {60, 90, true}, {58, 90, false}} {
		if got := (Lease{tt.left * time.Second, tt.granted * time.Second}).Fresh(); got != tt.want {
			t.Errorf("%d of %d: %v", tt.left, tt.granted, got)
		}
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	o := operator(t, server, "")
	for _, node := range []string{"shop-2", "shop-1"} {
		if err := o.Pause(t.Context(), "shop", node, "ops@host", "disk full"); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Pause(t.Context(), "a/b", "n", "", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Client(t).Put(t.Context(), "/micro/rollcall/pause/user/user-1", "by hand"); err != nil {
		t.Fatal(err)
	}
	all, err := o.Pauses(t.Context(), "")
	var names []string
	for _, p := range all {
		names = append(names, p.Service+"/"+p.Node)
	}
	if got := strings.Join(names, " "); err != nil || got != "a-b/n shop/shop-1 shop/shop-2 user/user-1" {
		t.Errorf("got %q, %v", got, err)
	}
	of, err := o.Pauses(t.Context(), "shop")
	if err != nil || len(of) != 2 || of[0].Node != "shop-1" || of[0].By != "ops@host" || of[0].Reason != "disk full" {
		t.Fatalf("got %+v, %v", of, err)
	}
	if _, err := time.Parse(time.RFC3339, of[0].At); err != nil {
		t.Error(err)
	}
	if of, err := o.Pauses(t.Context(), "a/b"); err != nil || len(of) != 1 || of[0].Service != "a/b" {
		t.Errorf("got %+v, %v", of, err)
	}
	if err := o.Resume(t.Context(), "shop", "shop-1"); err != nil {
		t.Fatal(err)
	}
	if of, err := o.Pauses(t.Context(), "shop"); err != nil || len(of) != 1 {
		t.Errorf("got %+v, %v", of, err)
	}
}

func TestAwait(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	c := server.Client(t)
	r := registryIn(t, server)
	await := func(registered bool) <-chan error {
		done := make(chan error, 1)
		go func() { done <- Await(t.Context(), r, "shop", "shop-1", registered) }()
		return done
	}
	if err := <-await(false); err != nil {
		t.Errorf("a node that never was: %v", err)
	}
	there := await(true)
	register(t, c, "shop-1", dead, 0)
	if err := <-there; err != nil {
		t.Error(err)
	}
	if err := <-await(true); err != nil {
		t.Errorf("a node that is there: %v", err)
	}
	// An etcd that goes away meanwhile is waited for.
	gone := await(false)
	server.Restart(t)
	if _, err := server.Client(t).Delete(t.Context(), layout.Layout{}.Node("shop", "shop-1")); err != nil {
		t.Fatal(err)
	}
	if err := <-gone; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Await(ctx, r, "shop", "shop-1", true); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestDeregister(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		c := server.Client(t)
		o := operator(t, server, "")
		key := layout.Layout{}.Node("shop", "shop-1")

		register(t, c, "shop-1", dead, 0)
		events := c.Watch(t.Context(), key)
		if err := o.Deregister(t.Context(), one(t, o, "shop-1"), false); err != nil {
			t.Fatal(err)
		}
		// Who watches hears first that the node leaves.
		var seen []string
		for len(seen) < 2 {
			for _, e := range (<-events).Events {
				_, err := layout.Layout{}.Decode(key, e.Kv.Value)
				switch {
				case e.Type == clientv3.EventTypeDelete:
					seen = append(seen, "gone")
				case errors.Is(err, layout.ErrLeaving):
					seen = append(seen, "leaving")
				default:
					seen = append(seen, "registered")
				}
			}
		}
		if got := strings.Join(seen, " "); got != "leaving gone" {
			t.Errorf("it was seen as %s", got)
		}

		// A node that lives is left alone.
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		register(t, c, "shop-1", l.Addr().String(), 0)
		if err := o.Deregister(t.Context(), one(t, o, "shop-1"), false); !errors.Is(err, ErrAlive) || !strings.Contains(err.Error(), l.Addr().String()) {
			t.Errorf("something answers at its address: %v", err)
		}
		register(t, c, "shop-1", dead, 60)
		if err := o.Deregister(t.Context(), one(t, o, "shop-1"), false); !errors.Is(err, ErrAlive) || !strings.Contains(err.Error(), "s of 60 s") {
			t.Errorf("its lease is fresh: %v", err)
		}
		if err := o.Deregister(t.Context(), one(t, o, "shop-1"), true); err != nil {
			t.Errorf("by force: %v", err)
		}

		// One that has registered anew meanwhile as well.
		register(t, c, "shop-1", dead, 0)
		before := one(t, o, "shop-1")
		register(t, c, "shop-1", dead, 0)
		if err := o.Deregister(t.Context(), before, true); !errors.Is(err, ErrChanged) {
			t.Errorf("it was written anew: %v", err)
		}
		one(t, o, "shop-1")
	})
}

func TestRights(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		register(t, server.Client(t), "shop-1", dead, 60)
		server.EnableAuth(t, "user", "secret")
		server.AddUser(t, "narrow", "secret", testkit.Right{Prefix: "/micro/registry/shop/", Read: true})
		o := operator(t, server, "narrow")
		if n := one(t, o, "shop-1"); n.Address != dead {
			t.Errorf("got %+v", n)
		}
		for name, err := range map[string]error{
			"pauses":     func() error { _, err := o.Pauses(t.Context(), "shop"); return err }(),
			"pause":      o.Pause(t.Context(), "shop", "shop-1", "", ""),
			"resume":     o.Resume(t.Context(), "shop", "shop-1"),
			"deregister": o.Deregister(t.Context(), one(t, o, "shop-1"), true),
			"others":     func() error { _, err := o.Nodes(t.Context(), "other"); return err }(),
		} {
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s: %v", name, err)
			}
		}
		one(t, o, "shop-1")
	})
}
