package testkit

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
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

func TestEtcdTLS(t *testing.T) {
	EachKind(t, func(t *testing.T, kind Kind) {
		first, second := NewCA(t), NewCA(t)
		e := StartEtcd(t, OfKind(kind), WithTLS(first))
		put(t, e.Client(t), "a", "1")
		if err := e.tryWith(t, second.TLS(), refusal); err == nil {
			t.Fatal("a client that trusts another authority is answered")
		}
		e.RestartTLS(t, second)
		if err := e.tryWith(t, second.TLS(), answer); err != nil {
			t.Fatalf("after the change of certificates: %v", err)
		}
		if err := e.tryWith(t, first.TLS(), refusal); err == nil {
			t.Fatal("the old authority is still served")
		}
	})
}

func TestEtcdClientCerts(t *testing.T) {
	EachKind(t, func(t *testing.T, kind Kind) {
		ca := NewCA(t)
		e := StartEtcd(t, OfKind(kind), WithTLS(ca), WithClientCerts())
		if err := e.tryWith(t, e.TLS(t), answer); err != nil {
			t.Fatalf("with a client certificate: %v", err)
		}
		if err := e.tryWith(t, ca.TLS(), refusal); err == nil {
			t.Fatal("a client without a certificate is answered")
		}
	})
}

// Bounds of a request that is to be answered, and of one that is not.
const (
	answer  = 5 * time.Second
	refusal = 300 * time.Millisecond
)

// tryWith puts a key with a client of its own that has the given TLS settings.
func (e *Etcd) tryWith(t *testing.T, config *tls.Config, within time.Duration) error {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{e.Addr()}, TLS: config, Logger: zap.NewNop()})
	if err != nil {
		return err
	}
	defer closeClient(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	_, err = c.Put(ctx, "a", "2")
	return err
}

func TestEtcdAuth(t *testing.T) {
	EachKind(t, func(t *testing.T, kind Kind) {
		e := StartEtcd(t, OfKind(kind))
		e.EnableAuth(t, "svc", "secret")
		if err := e.tryAs("svc", "secret", "/micro/registry/a"); err != nil {
			t.Fatalf("below /micro/: %v", err)
		}
		if err := e.tryAs("svc", "secret", "/other"); err == nil {
			t.Fatal("the user may write outside of /micro/")
		}
		if err := e.tryAs("svc", "wrong", "/micro/registry/a"); err == nil {
			t.Fatal("a wrong password is accepted")
		}
		e.SetPassword(t, "svc", "other")
		if err := e.tryAs("svc", "other", "/micro/registry/a"); err != nil {
			t.Fatalf("with the new password: %v", err)
		}
		e.Restart(t)
		put(t, e.Client(t), "/anything", "1") // as root
		e.Wipe()
		e.Restart(t)
		put(t, e.Client(t), "/anything", "1") // there are no users any more
	})
}

// tryAs puts a key with a client of its own.
func (e *Etcd) tryAs(user, password, key string) error {
	c, err := clientv3.New(clientv3.Config{
		Endpoints: []string{e.Addr()}, DialTimeout: 5 * time.Second,
		Username: user, Password: password, Logger: zap.NewNop(),
	})
	if err != nil {
		return err
	}
	return errors.Join(tryPut(c, key, "1"), c.Close())
}

func TestEtcdCompact(t *testing.T) {
	e := StartEtcd(t)
	c := e.Client(t)
	put(t, c, "a", "1")
	put(t, c, "a", "2")
	put(t, c, "a", "3")
	e.Compact(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := c.Get(ctx, "a", clientv3.WithRev(2)); !errors.Is(err, rpctypes.ErrCompacted) {
		t.Fatalf("got %v for an old revision, want %v", err, rpctypes.ErrCompacted)
	}
	if n := count(t, c, "a"); n != 1 {
		t.Fatalf("%d keys, want 1", n)
	}
}

func TestEtcdBehindProxy(t *testing.T) {
	e := StartEtcd(t)
	p := StartProxy(t, e.Addr())
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{p.Addr()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer closeClient(t, c)
	put(t, c, "a", "1")
	p.Cut()
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Get(short, "a"); err == nil {
		t.Fatal("answered while cut")
	}
	p.Restore(t)
	if n := count(t, c, "a"); n != 1 {
		t.Fatalf("%d keys, want 1", n)
	}
}
