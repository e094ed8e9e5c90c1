package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	registryetcd "github.com/rollcall-go/micro/registry/etcd"
	registrymemory "github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/sync"
	"github.com/rollcall-go/micro/sync/etcd"
	"github.com/rollcall-go/micro/sync/locktest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// patience is how long a test waits for what has to happen.
const patience = 30 * time.Second

func newSync(t *testing.T, opts ...sync.Option) sync.Fencing {
	t.Helper()
	s := etcd.NewSync(opts...)
	t.Cleanup(func() {
		if err := s.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return s.(sync.Fencing)
}

func acquire(t *testing.T, s sync.Fencing, id string, opts ...sync.LockOption) sync.Held {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	h, err := s.Acquire(ctx, id, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// places returns the keys in the line of a lock, in the order in which they came.
func places(t *testing.T, c *clientv3.Client, id string) (keys []string) {
	t.Helper()
	answer, err := c.Get(t.Context(), "/micro/sync/"+id+"/", clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range answer.Kvs {
		keys = append(keys, string(kv.Key))
	}
	return keys
}

func inLine(t *testing.T, c *clientv3.Client, id string, n int) {
	t.Helper()
	testkit.Eventually(t, patience, fmt.Sprintf("%d are in line", n), func() bool { return len(places(t, c, id)) == n })
}

func TestSync(t *testing.T) {
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		var spaces atomic.Int64
		locktest.Run(t, func(t *testing.T) sync.Sync {
			return newSync(t, sync.Nodes(server.Addr()), etcd.Namespace(fmt.Sprint("n", spaces.Add(1))))
		})
	})
}

func TestOrderOfArrival(t *testing.T) {
	server := testkit.StartEtcd(t)
	c := server.Client(t)
	s := newSync(t, sync.Nodes(server.Addr()))
	first := acquire(t, s, "a")
	got := make(chan int, 3)
	tokens := make(chan int64, 3)
	for i := range 3 {
		go func() {
			h, err := s.Acquire(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			got <- i
			tokens <- h.Token()
			if err := h.Release(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		inLine(t, c, "a", i+2)
	}
	last := first.Token()
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		n, token := <-got, <-tokens
		if n != i || token <= last {
			t.Errorf("number %d came at place %d, with token %d after %d", n, i, token, last)
		}
		last = token
	}
	inLine(t, c, "a", 0)
}

// TestWhoGivesUpLeavesNoKey: neither one whose context ends nor one whose time is over, nor
// one that is closed.
func TestWhoGivesUpLeavesNoKey(t *testing.T) {
	server := testkit.StartEtcd(t)
	c := server.Client(t)
	s, other := newSync(t, sync.Nodes(server.Addr())), etcd.NewSync(sync.Nodes(server.Addr()))
	first := acquire(t, s, "a")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { _, err := s.Acquire(ctx, "a"); ended <- err }()
	inLine(t, c, "a", 2)
	go func() { ended <- other.Lock("a") }()
	inLine(t, c, "a", 3)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up got %v", err)
	}
	if err := s.Lock("a", sync.LockWait(100*time.Millisecond)); err != sync.ErrLockTimeout {
		t.Errorf("whose time is over got %v", err)
	}
	inLine(t, c, "a", 2)
	if err := other.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("who was closed got %v", err)
	}
	if n := len(places(t, c, "a")); n != 1 {
		t.Errorf("%d keys are left with the one that is held", n)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(places(t, c, "a")); n != 0 {
		t.Errorf("%d keys are left", n)
	}
	if err := other.Lock("a"); err == nil {
		t.Error("one that is closed locks")
	}
}

func TestCloseReleases(t *testing.T) {
	server := testkit.StartEtcd(t)
	s := etcd.NewSync(sync.Nodes(server.Addr())).(sync.Fencing)
	h := acquire(t, s, "a")
	if err := s.(io.Closer).Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Err(); !errors.Is(err, sync.ErrReleased) {
		t.Errorf("what was held says %v", err)
	}
	if n := len(places(t, server.Client(t), "a")); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

// TestLoss: whatever takes a lock away, its holder is told, and the next one gets it.
func TestLoss(t *testing.T) {
	server := testkit.StartEtcd(t)
	c := server.Client(t)
	for name, take := range map[string]func(key string) error{
		"the lease is revoked": func(key string) error {
			answer, err := c.Get(t.Context(), key)
			if err == nil {
				_, err = c.Revoke(t.Context(), clientv3.LeaseID(answer.Kvs[0].Lease))
			}
			return err
		},
		"the key is deleted": func(key string) error { _, err := c.Delete(t.Context(), key); return err },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSync(t, sync.Nodes(server.Addr()))
			h := acquire(t, s, "a", sync.LockTTL(3*time.Second))
			if err := take(places(t, c, "a")[0]); err != nil {
				t.Fatal(err)
			}
			select {
			case <-h.Lost():
			case <-time.After(patience):
				t.Fatal("the holder is not told")
			}
			if err := h.Err(); !errors.Is(err, sync.ErrLost) {
				t.Errorf("it says %v", err)
			}
			next := acquire(t, s, "a")
			if next.Token() <= h.Token() {
				t.Errorf("token %d after %d", next.Token(), h.Token())
			}
			if err := h.Release(t.Context()); !errors.Is(err, sync.ErrLost) {
				t.Errorf("its release says %v", err)
			}
			if err := next.Err(); err != nil {
				t.Errorf("the next one, after that: %v", err)
			}
			if err := next.Release(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOneLineWithConcurrency stands in line with package concurrency of etcd's client, which
// is what v2 uses, with the keys that v2 gives it.
func TestOneLineWithConcurrency(t *testing.T) {
	server := testkit.StartEtcd(t)
	c := server.Client(t)
	session, err := concurrency.NewSession(c, concurrency.WithTTL(10))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	theirs := concurrency.NewMutex(session, "/micro/sync/fleet-a-b")
	if err := theirs.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := newSync(t, sync.Nodes(server.Addr()), sync.Prefix("fleet/"))
	if err := s.Lock("a/b", sync.LockWait(200*time.Millisecond)); err != sync.ErrLockTimeout {
		t.Errorf("while v2 holds the lock: %v", err)
	}
	if err := theirs.Unlock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Lock("a/b", sync.LockWait(patience)); err != nil {
		t.Fatal(err)
	}
	if err := theirs.TryLock(t.Context()); !errors.Is(err, concurrency.ErrLocked) {
		t.Errorf("while we hold the lock, v2 gets %v", err)
	}
	if err := s.Unlock("a/b"); err != nil {
		t.Fatal(err)
	}
	election := concurrency.NewElection(session, "/micro/sync/fleet-a-b")
	if err := election.Campaign(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	leads := make(chan sync.Leader, 1)
	go func() {
		l, err := s.Leader("a/b")
		if err != nil {
			t.Error(err)
		}
		leads <- l
	}()
	inLine(t, c, "fleet-a-b", 2)
	if len(leads) > 0 {
		t.Error("two lead")
	}
	if err := election.Resign(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := (<-leads).Resign(); err != nil {
		t.Error(err)
	}
}

func TestRegistrysConnection(t *testing.T) {
	server := testkit.StartEtcd(t)
	r := registryetcd.NewRegistry(registry.Addrs(server.Addr()), registryetcd.Namespace("blue"))
	t.Cleanup(func() { _ = r.(io.Closer).Close() })
	s := newSync(t, etcd.Registry(r), sync.Nodes("nowhere:1"))
	h := acquire(t, s, "a")
	if err := newSync(t, sync.Nodes(server.Addr()), etcd.Namespace("blue")).Lock("a", sync.LockWait(100*time.Millisecond)); err != sync.ErrLockTimeout {
		t.Errorf("in the registry's namespace: %v", err)
	}
	if err := h.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if err := newSync(t, etcd.Registry(registrymemory.NewRegistry())).Lock("a"); err == nil || !strings.Contains(err.Error(), "not in etcd") {
		t.Errorf("a registry that is not in etcd: %v", err)
	}
}

func TestWhatCannotBe(t *testing.T) {
	s := newSync(t, sync.Nodes("127.0.0.1:1"), etcd.Timeout(time.Second))
	for _, id := range []string{"", ".", ".."} {
		if err := s.Lock(id); err == nil || !strings.Contains(err.Error(), "no name") {
			t.Errorf("the lock %q: %v", id, err)
		}
	}
	if err := s.Lock("a"); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("an etcd that is away: %v", err)
	}
	if err := s.Lock("a", sync.LockWait(100*time.Millisecond)); err == nil {
		t.Error("an etcd that is away gives locks")
	}
	if err := s.Init(sync.Nodes("a:b:c")); err == nil {
		t.Error("a malformed address is taken")
	}
	if err := s.Lock("a"); err == nil || !strings.Contains(err.Error(), "a:b:c") {
		t.Errorf("a malformed address: %v", err)
	}
}

// TestRights gives the user of a program what docs/ETCD.md says, and nothing else.
func TestRights(t *testing.T) {
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		server.EnableAuth(t, "fleet", "secret")
		server.AddUser(t, "a", "secret", testkit.Right{Prefix: "/micro/sync/a/", Read: true, Write: true})
		s := newSync(t, sync.Nodes(server.Addr()), etcd.Auth("a", "secret"))
		h := acquire(t, s, "a", sync.LockTTL(3*time.Second))
		if err := s.Lock("a", sync.LockWait(200*time.Millisecond)); err != sync.ErrLockTimeout {
			t.Errorf("while it is held: %v", err)
		}
		testkit.Elapse(t, 4*time.Second) // it is renewed
		if err := h.Err(); err != nil {
			t.Errorf("after its TTL: %v", err)
		}
		if err := h.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if err := acquire(t, s, "a").Release(t.Context()); err != nil {
			t.Errorf("once more: %v", err)
		}
		begun := time.Now()
		if err := s.Lock("b"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("without a right: %v", err)
		}
		if d := time.Since(begun); d > 5*time.Second {
			t.Errorf("told after %v", d)
		}
	})
}
