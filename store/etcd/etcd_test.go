package etcd

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	registryetcd "github.com/rollcall-go/micro/registry/etcd"
	registrymemory "github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/store"
	"github.com/rollcall-go/micro/store/storetest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestStore(t *testing.T) {
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		var databases atomic.Int64
		storetest.Run(t, func(*testing.T) store.Store {
			return NewStore(store.Nodes(server.Addr()), store.Database(fmt.Sprint(databases.Add(1))))
		})
	})
}

func TestWhatIsTooLarge(t *testing.T) {
	s := newStore(t, store.Nodes(testkit.StartEtcd(t).Addr()))
	if err := s.Write(&store.Record{Key: "fits", Value: make([]byte, 1<<20)}); err != nil {
		t.Errorf("a record of 1 MiB: %v", err)
	}
	err := s.Write(&store.Record{Key: "large", Value: make([]byte, etcd.MaxTxnBytes)})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(etcd.MaxTxnBytes)) {
		t.Errorf("a record of 1.5 MiB: %v, which does not name the limit", err)
	}
}

func TestRegistrysConnection(t *testing.T) {
	server := testkit.StartEtcd(t)
	r := registryetcd.NewRegistry(registry.Addrs(server.Addr()), registryetcd.Namespace("fleet"))
	t.Cleanup(func() { _ = r.(io.Closer).Close() })
	s := newStore(t, Registry(r), store.Nodes("nowhere:1"))
	if err := s.Write(&store.Record{Key: "a", Value: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	own := newStore(t, store.Nodes(server.Addr()), Namespace("fleet"))
	if records, err := own.Read("a"); err != nil || string(records[0].Value) != "1" {
		t.Errorf("over a connection of its own, in the registry's namespace: %v, %v", records, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.ListServices(); err != nil {
		t.Errorf("the registry, after the store was closed: %v", err)
	}
	if err := s.Write(&store.Record{Key: "a"}); err == nil {
		t.Error("the closed store writes")
	}
	if err := newStore(t, Registry(registrymemory.NewRegistry())).Init(); err == nil || !strings.Contains(err.Error(), "not in etcd") {
		t.Errorf("a registry that is not in etcd: %v", err)
	}
}

func TestEtcdAway(t *testing.T) {
	server := testkit.StartEtcd(t)
	s := newStore(t, store.Nodes(server.Addr()), Timeout(time.Second))
	if err := s.Write(&store.Record{Key: "a", Value: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	server.Freeze(t)
	begun := time.Now()
	_, err := s.Read("a")
	if err == nil || !strings.Contains(err.Error(), server.Addr()) {
		t.Errorf("of an etcd that says nothing: %v, which does not name its address", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("that took %v of the second it may", took)
	}
	server.Thaw(t)
	testkit.Eventually(t, 10*time.Second, "the record is read again", func() bool {
		records, err := s.Read("a")
		return err == nil && string(records[0].Value) == "1"
	})
}

func TestWrongOptions(t *testing.T) {
	for name, opt := range map[string]store.Option{"address": store.Nodes("::bad::"), "namespace": Namespace("a/b")} {
		s := newStore(t, opt)
		if err := s.Init(); err == nil {
			t.Errorf("a wrong %s: no error", name)
		}
		if err := s.Write(&store.Record{Key: "a"}); err == nil {
			t.Errorf("a wrong %s: written", name)
		}
	}
}

func TestForeignValue(t *testing.T) {
	server := testkit.StartEtcd(t)
	s := newStore(t, store.Nodes(server.Addr()))
	key := layout.Layout{}.Stored("micro", "micro") + "a"
	if _, err := server.Client(t).Put(t.Context(), key, "text"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read("a"); err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("a value of somebody else's: %v, which does not name its key", err)
	}
}

func newStore(t *testing.T, opts ...store.Option) store.Store {
	s := NewStore(opts...)
	t.Cleanup(func() { _ = s.Close() })
	return s
}
