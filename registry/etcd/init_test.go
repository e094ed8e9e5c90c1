package etcd_test

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

func TestInitMovesEverything(t *testing.T) {
	server, another := testkit.StartEtcd(t), testkit.StartEtcd(t)
	r := open(t, server.Addr())
	for _, id := range []string{"a", "b"} {
		if err := r.Register(service("s", id)); err != nil {
			t.Fatal(err)
		}
	}
	w, err := r.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if _, err := another.Client(t).Put(t.Context(), "/micro/registry/s/c", value("s", "c")); err != nil {
		t.Fatal(err)
	}
	if err := r.Init(registry.Addrs(another.Addr())); err != nil {
		t.Fatal(err)
	}
	if got, err := r.GetService("s"); err != nil || outline(got) != "s@1/a s@1/b s@1/c" {
		t.Errorf("the new etcd holds %s (%v)", outline(got), err)
	}
	left, err := server.Client(t).Get(t.Context(), "/micro/registry/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil || len(left.Kvs) != 0 {
		t.Errorf("the old etcd still holds %v (%v)", left.Kvs, err)
	}
	// The old keys may have been seen to go, the new ones to come.
	known := map[string]bool{"s@1/a": true, "s@1/b": true}
	for len(known) < 3 {
		e := next(t, w)
		known[e[len("create "):]] = e[:len("delete")] != "delete"
	}
	if err := r.Deregister(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	for next(t, w) != "delete s@1/a" {
	}
	if got, err := r.GetService("s"); err != nil || outline(got) != "s@1/b s@1/c" {
		t.Errorf("after Deregister: %s (%v)", outline(got), err)
	}
}

func TestInitLeavesNothingBehind(t *testing.T) {
	server := testkit.StartEtcd(t)
	proxy := testkit.StartProxy(t, server.Addr())
	r := open(t, proxy.Addr())
	if err := r.Register(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	w, err := r.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	// The stream that watches the node's key may not be open yet.
	goroutines := runtime.NumGoroutine() + 8
	for i := range 10 {
		if err := r.Init(registry.Timeout(time.Duration(i+1) * time.Second)); err != nil {
			t.Fatal(err)
		}
		if got, err := r.GetService("s"); err != nil || outline(got) != "s@1/a" {
			t.Fatalf("after %d: %s (%v)", i+1, outline(got), err)
		}
	}
	testkit.Eventually(t, 5*time.Second, fmt.Sprintf("one connection and at most %d goroutines", goroutines), func() bool {
		return proxy.Open() == 1 && runtime.NumGoroutine() <= goroutines
	})
	got, err := server.Client(t).Get(t.Context(), "/micro/registry/s/a")
	if err != nil || len(got.Kvs) != 1 || got.Kvs[0].CreateRevision == got.Kvs[0].ModRevision {
		t.Errorf("etcd holds %v (%v), want the key taken over, never deleted", got.Kvs, err)
	}
}

func TestInitWithoutOptionsDoesNothing(t *testing.T) {
	server := testkit.StartEtcd(t)
	proxy := testkit.StartProxy(t, server.Addr())
	r := open(t, proxy.Addr())
	for range 3 {
		if _, err := r.ListServices(); err != nil {
			t.Fatal(err)
		}
		if err := r.Init(); err != nil {
			t.Fatal(err)
		}
	}
	if n := proxy.Conns(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestOptionsDoNotDependOnTheirOrder(t *testing.T) {
	server := testkit.StartEtcd(t)
	server.EnableAuth(t, "alice", "right")
	for _, opts := range [][]registry.Option{
		{etcd.Auth("alice", "right"), etcd.LogConfig(nil), registry.Addrs(server.Addr())},
		{registry.Addrs(server.Addr()), etcd.LogConfig(nil), etcd.Auth("alice", "right")},
	} {
		r := open(t, "127.0.0.1:1", opts...)
		if _, err := r.ListServices(); err != nil {
			t.Error(err)
		}
		if got := r.Options(); len(got.Addrs) != 1 || got.Addrs[0] != server.Addr() || got.Timeout != 5*time.Second {
			t.Errorf("options are %+v", got)
		}
	}
}

func TestInitWhileInUse(t *testing.T) {
	server := testkit.StartEtcd(t)
	r := open(t, server.Addr())
	w, err := r.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	var using sync.WaitGroup
	for i := range 4 {
		using.Go(func() {
			id := fmt.Sprintf("n%d", i)
			for range 10 {
				if err := r.Register(service("s", id)); err != nil {
					t.Errorf("register: %v", err)
				}
				if _, err := r.GetService("s"); err != nil {
					t.Errorf("look up: %v", err)
				}
				if err := r.Deregister(service("s", id)); err != nil {
					t.Errorf("deregister: %v", err)
				}
				if err := r.Register(service("s", id)); err != nil {
					t.Errorf("register: %v", err)
				}
			}
		})
	}
	for i := range 10 {
		if err := r.Init(registry.Timeout(time.Duration(5+i) * time.Second)); err != nil {
			t.Error(err)
		}
	}
	using.Wait()
	if got, err := r.GetService("s"); err != nil || outline(got) != "s@1/n0 s@1/n1 s@1/n2 s@1/n3" {
		t.Errorf("in the end etcd holds %s (%v)", outline(got), err)
	}
}

// Init waits for the nodes that it moves; Close does not wait for that.
func TestCloseDuringInit(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	r := etcd.NewRegistry(registry.Addrs(server.Addr()))
	if err := r.Register(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = r.Init(registry.Addrs("127.0.0.1:1"), registry.Timeout(20*time.Second)) // of a registry that is being closed
	}()
	testkit.Eventually(t, 5*time.Second, "Init is under way", func() bool { return r.Options().Addrs[0] == "127.0.0.1:1" })
	began := time.Now()
	if err := r.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Close took %v", took)
	}
	<-ended
}
