package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// next returns the watcher's next event, "create s@1/a", or fails the test.
func next(t *testing.T, w registry.Watcher) string {
	t.Helper()
	late := time.AfterFunc(10*time.Second, w.Stop)
	defer late.Stop()
	e, err := w.Next()
	if err != nil {
		t.Fatalf("Next returned %v within 10 s, want an event", err)
	}
	return e.Action + " " + outline([]*registry.Service{e.Service})
}

func TestEveryEventOfATransactionAndOfALease(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		const n = 100
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		client := server.Client(t)
		r := open(t, server.Addr())
		w, err := r.Watch()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
		one, err := r.Watch(registry.WatchService("s"))
		if err != nil {
			t.Fatal(err)
		}
		defer one.Stop()
		lease, err := client.Grant(t.Context(), 60)
		if err != nil {
			t.Fatal(err)
		}
		var puts []clientv3.Op
		for i := range n {
			id := fmt.Sprintf("node-%03d", i)
			puts = append(puts, clientv3.OpPut("/micro/registry/s/"+id, value("s", id), clientv3.WithLease(lease.ID)))
		}
		if _, err := client.Txn(t.Context()).Then(puts...).Commit(); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Revoke(t.Context(), lease.ID); err != nil {
			t.Fatal(err)
		}
		for _, w := range []registry.Watcher{w, one} {
			for _, action := range []string{"create", "delete"} {
				seen := make(map[string]bool)
				for range n {
					e := next(t, w)
					if !strings.HasPrefix(e, action+" s@1/node-") {
						t.Fatalf("the watcher saw %q, want a %s", e, action)
					}
					seen[e] = true
				}
				if len(seen) != n {
					t.Errorf("%d different events of kind %s, want %d", len(seen), action, n)
				}
			}
		}
	})
}

// slack is what a busy machine may add to a timeout.
const slack = 3 * time.Second

func TestEtcdAway(t *testing.T) {
	t.Parallel()
	const timeout = 2 * time.Second
	server := testkit.StartEtcd(t)
	r := open(t, server.Addr(), registry.Timeout(timeout))
	away := func(situation, cause string) {
		t.Helper()
		var calling sync.WaitGroup
		for what, call := range map[string]func() error{
			"Register":     func() error { return r.Register(service("s", "a", "b", "c")) },
			"GetService":   func() error { _, err := r.GetService("s"); return err },
			"ListServices": func() error { _, err := r.ListServices(); return err },
			"Watch":        func() error { _, err := r.Watch(); return err },
		} {
			calling.Go(func() {
				began := time.Now()
				err := call()
				if took := time.Since(began); took > timeout+slack {
					t.Errorf("%s: %s took %v, the timeout is %v", situation, what, took, timeout)
				}
				if err == nil || !strings.Contains(err.Error(), server.Addr()) || !strings.Contains(err.Error(), cause) {
					t.Errorf("%s: %s: got %v, want an error that names %s and the cause %q", situation, what, err, server.Addr(), cause)
				}
			})
		}
		calling.Wait()
	}
	if _, err := r.ListServices(); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	away("killed", "connection refused")
	server.Restart(t)
	testkit.Eventually(t, 5*time.Second, "etcd answers", func() bool {
		got, err := r.ListServices()
		if len(got) > 0 {
			t.Fatalf("a Register that failed left %s", outline(got))
		}
		return err == nil
	})
	server.Freeze(t)
	away("frozen", "deadline exceeded")
	server.Thaw(t)
	// Whatever was on its way when the registration was given up is undone.
	testkit.Eventually(t, 5*time.Second, "etcd answers and holds nothing", func() bool {
		got, err := r.ListServices()
		return err == nil && len(got) == 0
	})
}

// A Register that fails takes nothing from another that is still under way.
func TestRegisterTwiceAndGiveOneUp(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	r := open(t, server.Addr())
	if _, err := r.ListServices(); err != nil {
		t.Fatal(err)
	}
	server.Freeze(t)
	patient := make(chan error, 1)
	go func() { patient <- r.Register(service("s", "a")) }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := r.Register(service("s", "a"), registry.RegisterContext(ctx)); err == nil {
		t.Fatal("registered in an etcd that is frozen")
	}
	server.Thaw(t)
	if err := <-patient; err != nil {
		t.Errorf("the Register with time to wait: %v", err)
	}
	if got, err := r.GetService("s"); err != nil || outline(got) != "s@1/a" {
		t.Errorf("registered is %s (%v)", outline(got), err)
	}
}

func TestDeregisterWhileAway(t *testing.T) {
	t.Parallel()
	const timeout = time.Second
	server := testkit.StartEtcd(t)
	r := open(t, server.Addr(), registry.Timeout(timeout))
	if err := r.Register(service("s", "a", "b"), registry.RegisterTTL(3*time.Second)); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	began := time.Now()
	if err := r.Deregister(service("s", "a")); err == nil {
		t.Error("deregistering succeeded without etcd")
	}
	if took := time.Since(began); took > timeout+slack {
		t.Errorf("took %v, the timeout is %v", took, timeout)
	}
	server.Restart(t)
	testkit.Eventually(t, 10*time.Second, "the node that was deregistered is gone, the other is there", func() bool {
		got, err := r.GetService("s")
		return err == nil && outline(got) == "s@1/b"
	})
}

func TestWipedEtcdIsFilledAgain(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		r, other := open(t, server.Addr()), open(t, server.Addr())
		if err := r.Register(service("s", "a", "b")); err != nil {
			t.Fatal(err)
		}
		w, err := other.Watch()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
		server.Kill()
		server.Wipe()
		back := server.Restart(t)
		testkit.Eventually(t, 10*time.Second, "both nodes are listed again", func() bool {
			got, err := other.GetService("s")
			return err == nil && outline(got) == "s@1/a s@1/b"
		})
		if took := time.Since(back); took > 4*time.Second {
			t.Errorf("listed after %v, want at most 4 s", took)
		}
		// The watcher may have seen the nodes go and come, or change; in the end it
		// knows them.
		known := map[string]bool{}
		for len(known) < 2 {
			action, node, _ := strings.Cut(next(t, w), " ")
			if action == "delete" {
				delete(known, node)
			} else {
				known[node] = true
			}
		}
		if took := time.Since(back); took > 4*time.Second {
			t.Errorf("seen after %v, want at most 4 s", took)
		}
	})
}

func TestDeletedKeyComesBack(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	r := open(t, server.Addr())
	if err := r.Register(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	w, err := r.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if _, err := client.Delete(t.Context(), "/micro/registry/s/a"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"delete s@1/a", "create s@1/a"} {
		if got := next(t, w); got != want {
			t.Errorf("the watcher saw %q, want %q", got, want)
		}
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	server.EnableAuth(t, "alice", "right")
	r := open(t, server.Addr(), registry.Timeout(time.Second), etcd.Auth("alice", "wrong"))
	// A busy etcd may take longer than the timeout to look at a password.
	testkit.Eventually(t, 10*time.Second, "the password was refused", func() bool {
		_, err := r.ListServices()
		return err != nil && strings.Contains(err.Error(), "alice")
	})
	for what, err := range all(r) {
		if what == "Deregister" { // nothing to do
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "alice") || !strings.Contains(err.Error(), server.Addr()) {
			t.Errorf("%s: got %v, want an error that names user and address", what, err)
		}
	}
	if err := r.Init(etcd.Auth("alice", "right")); err != nil {
		t.Fatal(err)
	}
	testkit.Passes(t, 10*time.Second, "the password is accepted", func() error { return r.Register(service("s", "a")) })
	if got, err := r.GetService("s"); err != nil || outline(got) != "s@1/a" {
		t.Errorf("got %s (%v)", outline(got), err)
	}
}

func TestUnknownIsNotAway(t *testing.T) {
	r := open(t, "127.0.0.1:1", registry.Timeout(100*time.Millisecond))
	if _, err := r.GetService("s"); errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a registry that is away knows that there is nothing: %v", err)
	}
}

func TestCompactedWhileCutOff(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	proxy := testkit.StartProxy(t, server.Addr())
	r := open(t, proxy.Addr())
	for _, id := range []string{"a", "b"} {
		if _, err := client.Put(t.Context(), "/micro/registry/s/"+id, value("s", id)); err != nil {
			t.Fatal(err)
		}
	}
	w, err := r.Watch(registry.WatchService("s"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	proxy.Cut()
	if _, err := client.Delete(t.Context(), "/micro/registry/s/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Put(t.Context(), "/micro/registry/s/c", value("s", "c")); err != nil {
		t.Fatal(err)
	}
	server.Compact(t)
	proxy.Restore(t)
	back := time.Now()
	for _, want := range []string{"delete s@1/a", "create s@1/c"} {
		if got := next(t, w); got != want {
			t.Errorf("the watcher saw %q, want %q", got, want)
		}
	}
	if took := time.Since(back); took > 4*time.Second {
		t.Errorf("seen after %v, want at most 4 s", took)
	}
}
