package faults

import (
	"path/filepath"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/source/etcd"
	"github.com/rollcall-go/micro/config/source/snapshot"
	"github.com/rollcall-go/micro/internal/testkit"
)

// Row G3: what is written while the source is cut off, with the history compacted, etcd
// wiped or started from an older copy, is read at most 4 s after etcd answers. Until then
// the configuration stays as it was, and its state says why and since when.
func TestG3CutOff(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		client := server.Client(t)
		proxy := testkit.StartProxy(t, server.Addr())
		commit(t, client, clientv3.OpPut("/c/a", "1"), clientv3.OpPut("/c/b", "1"))
		c := configOf(t, proxy.Addr())
		live := func() bool { return config.Status(c)[0].Live }
		since(t, time.Now(), "the source is live", live)

		proxy.Cut()
		since(t, time.Now(), "the loss is noticed", func() bool { return !live() })
		commit(t, client, clientv3.OpPut("/c/a", "2"), clientv3.OpDelete("/c/b"))
		server.Compact(t)
		if got := string(c.Bytes()); got != `{"a":1,"b":1}` {
			t.Errorf("cut off: %s", got)
		}
		if status := config.Status(c)[0]; status.Err == nil || status.Confirmed.IsZero() || time.Since(status.Confirmed) > patience {
			t.Errorf("cut off: %+v", status)
		}
		proxy.Restore(t)
		within(t, "compacted while cut off", reads(t, c, time.Now(), `{"a":2}`), listedAgain)

		since(t, time.Now(), "the source is live", live)
		server.Wipe()
		since(t, time.Now(), "the loss is noticed", func() bool { return !live() })
		if got := string(c.Bytes()); got != `{"a":2}` {
			t.Errorf("etcd is gone: %s", got)
		}
		back := server.Restart(t)
		within(t, "etcd wiped", reads(t, c, back, `{}`), listedAgain)
		begin := time.Now()
		commit(t, server.Client(t), clientv3.OpPut("/c/a", "3")) // the connection of the client before is lost
		within(t, "the first write afterwards", reads(t, c, begin, `{"a":3}`), shown)
	})
}

// Row G5: with etcd away Load is over in 5 s and says why; what it could not read joins
// when etcd is back. With a snapshot the program starts by what it last knew.
func TestG5EtcdAwayAtTheStart(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	commit(t, client, clientv3.OpPut("/c/a", "1"))
	proxy := testkit.StartProxy(t, server.Addr())
	kept := filepath.Join(t.TempDir(), "config.snapshot")
	first, err := config.NewConfig(config.WithSource(snapshot.NewSource(configSource(proxy.Addr()), kept)))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	for _, fault := range []struct {
		name string
		make func()
	}{{"refused", proxy.Cut}, {"swallowed", proxy.Blackhole}} {
		t.Run(fault.name, func(t *testing.T) {
			fault.make()
			begin := time.Now()
			plain, err := config.NewConfig()
			if err != nil {
				t.Fatal(err)
			}
			defer plain.Close()
			err = plain.Load(configSource(proxy.Addr()))
			within(t, "Load "+fault.name, time.Since(begin), 5500*time.Millisecond)
			if err == nil {
				t.Error("Load succeeds without etcd")
			}
			begin = time.Now()
			stale, err := config.NewConfig(config.WithSource(snapshot.NewSource(configSource(proxy.Addr(), etcd.WithDialTimeout(time.Second)), kept)))
			within(t, "start by the snapshot", time.Since(begin), 2*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer stale.Close()
			if got := string(stale.Bytes()); got != `{"a":1}` {
				t.Errorf("by the snapshot: %s", got)
			}
			if status := config.Status(stale)[0]; status.Live || status.Confirmed.IsZero() || status.Err == nil {
				t.Errorf("by the snapshot: %+v", status)
			}
			proxy.Restore(t)
			back := time.Now()
			within(t, "Load that failed joins", reads(t, plain, back, `{"a":1}`), listedAfterSilence)
			since(t, back, "the snapshot is not needed any more", func() bool { return config.Status(stale)[0].Live })
			if got := string(stale.Bytes()); got != `{"a":1}` {
				t.Errorf("etcd is back: %s", got)
			}
		})
	}
}
