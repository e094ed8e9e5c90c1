package testkit

import (
	"context"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

func put(t testing.TB, c *clientv3.Client, key, value string) {
	t.Helper()
	if err := tryPut(c, key, value); err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
}

func tryPut(c *clientv3.Client, key, value string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := c.Put(ctx, key, value)
	return err
}

func count(t testing.TB, c *clientv3.Client, key string) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r, err := c.Get(ctx, key, clientv3.WithCountOnly())
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	return r.Count
}

func TestEtcdLife(t *testing.T) {
	EachKind(t, func(t *testing.T, kind Kind) {
		e := StartEtcd(t, OfKind(kind))
		c := e.Client(t)
		put(t, c, "/micro/a", "1")

		e.Kill()
		short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := c.Get(short, "/micro/a"); err == nil {
			t.Fatal("a killed etcd answers")
		}
		addr := e.Addr()
		e.Restart(t)
		if e.Addr() != addr {
			t.Fatalf("address %s became %s", addr, e.Addr())
		}
		if n := count(t, c, "/micro/a"); n != 1 {
			t.Fatalf("%d keys after a crash, want 1", n)
		}

		e.Restart(t) // while it runs
		if n := count(t, c, "/micro/a"); n != 1 {
			t.Fatalf("%d keys after a stop, want 1", n)
		}

		e.Wipe()
		e.Restart(t)
		if n := count(t, c, "/micro/a"); n != 0 {
			t.Fatalf("%d keys after a wipe, want 0", n)
		}
	})
}

func TestEtcdFreeze(t *testing.T) {
	e := StartEtcd(t)
	c := e.Client(t)
	put(t, c, "a", "1")
	e.Freeze(t)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Get(short, "a"); err == nil {
		t.Fatal("a frozen etcd answers")
	}
	e.Thaw(t)
	if n := count(t, c, "a"); n != 1 {
		t.Fatalf("%d keys after the thaw, want 1", n)
	}
	e.Freeze(t)
	e.Stop(t) // a frozen one stops as well
	if e.process().alive() {
		t.Fatal("it still runs")
	}
}
