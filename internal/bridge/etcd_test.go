package bridge

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// open returns a registry in the etcd.
func open(t *testing.T, server *testkit.Etcd) registry.Registry {
	t.Helper()
	r := etcd.NewRegistry(registry.Addrs(server.Addr()))
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// bridged runs a bridge until stop is called, or the test ends.
func bridged(t *testing.T, from, to Side) (l *log, stop func()) {
	t.Helper()
	l = &log{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, Config{From: from, To: to, OnEvent: l.tell}) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		done <- nil
	}
	t.Cleanup(stop)
	return l, stop
}

// becomes waits until what is registered is as wanted.
func becomes(t *testing.T, r registry.Registry, want string) {
	t.Helper()
	last := ""
	defer func() {
		if t.Failed() {
			t.Logf("there was last\n  %s", last)
		}
	}()
	testkit.Eventually(t, 30*time.Second, "there is "+want, func() bool {
		services, err := r.ListServices()
		if err != nil {
			last = err.Error()
			return false
		}
		last = written(services)
		return last == want
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestBetweenEtcds moves a service from one etcd to another under two bridges of one
// direction.
func TestBetweenEtcds(t *testing.T) {
	t.Parallel()
	one, two := testkit.StartEtcd(t), testkit.StartEtcd(t)
	a, b := Side{"a", open(t, one)}, Side{"b", open(t, two)}
	must(t, a.Registry.Register(node("shop", "shop-1", "h:1"), registry.RegisterTTL(ttl)))
	_, stopFirst := bridged(t, a, Side{"b", open(t, two)})
	becomes(t, b.Registry, "shop/shop-1@h:1<a")
	_, stopSecond := bridged(t, a, Side{"b", open(t, two)})
	must(t, a.Registry.Register(node("shop", "shop-2", "h:2"), registry.RegisterTTL(ttl)))
	becomes(t, b.Registry, "shop/shop-1@h:1<a shop/shop-2@h:2<a")

	// The other one takes the place of the one that ends.
	stopFirst()
	becomes(t, b.Registry, "shop/shop-1@h:1<a shop/shop-2@h:2<a")

	// The service registers there by itself, and leaves where it was.
	must(t, b.Registry.Register(node("shop", "shop-1", "own:1"), registry.RegisterTTL(ttl)))
	becomes(t, b.Registry, "shop/shop-1@own:1 shop/shop-2@h:2<a")
	must(t, a.Registry.Deregister(node("shop", "shop-1", "h:1")))
	must(t, a.Registry.Deregister(node("shop", "shop-2", "h:2")))
	becomes(t, b.Registry, "shop/shop-1@own:1")
	stopSecond()
	becomes(t, b.Registry, "shop/shop-1@own:1")
}

// TestEtcdsThatGoAway takes away first the one that is read, then the one that is
// written.
func TestEtcdsThatGoAway(t *testing.T) {
	t.Parallel()
	one, two := testkit.StartEtcd(t), testkit.StartEtcd(t)
	a, b := Side{"a", open(t, one)}, Side{"b", open(t, two)}
	must(t, a.Registry.Register(node("shop", "shop-1", "h:1"), registry.RegisterTTL(ttl)))
	l, _ := bridged(t, a, Side{"b", open(t, two)})
	becomes(t, b.Registry, "shop/shop-1@h:1<a")
	one.Kill()
	told(t, l, "ready, lost a")
	becomes(t, b.Registry, "shop/shop-1@h:1<a")
	one.Restart(t)
	told(t, l, "ready, lost a, back a")
	two.Restart(t)
	becomes(t, b.Registry, "shop/shop-1@h:1<a")
	must(t, a.Registry.Deregister(node("shop", "shop-1", "h:1")))
	becomes(t, b.Registry, "")
}

// told waits until a bridge has told what happened to it.
func told(t *testing.T, l *log, want string) {
	t.Helper()
	testkit.Eventually(t, 30*time.Second, "the bridge tells "+want, func() bool { return l.kinds("") == want })
}
