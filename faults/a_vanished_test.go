package faults

import (
	"fmt"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// TestA3KeysVanish: one key is deleted, all are, etcd restarts with an older
// backup and with nothing. Every live node is listed again at most 1 s after a
// delete, 4 s after a restart, and a Watcher knows.
func TestA3KeysVanish(t *testing.T) {
	t.Parallel()
	const nodes = 10
	for _, kind := range testkit.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			e := testkit.StartEtcd(t, testkit.OfKind(kind))
			saved := e.Save(t) // of before anybody registered
			for i := range nodes {
				register(t, openRegistry(t, e.Addr()), service("s", fmt.Sprint("a", i)), 15*time.Second)
			}
			reader := openRegistry(t, e.Addr())
			seen := follow(t, reader, "s")
			// A key that vanishes twice within seconds is put back with a pause; so the
			// one that is deleted alone is another.
			lone := openRegistry(t, e.Addr())
			register(t, lone, service("lone", "a"), 15*time.Second)
			again := func(what string, begin time.Time, bound time.Duration) {
				t.Helper()
				within(t, what+": listed again", since(t, begin, "all nodes are listed", func() bool { return listed(reader, "s", nodes) }), bound)
				within(t, what+": seen by a Watcher", since(t, begin, "a Watcher knows all nodes", func() bool { return seen.count() == nodes }), bound+time.Second)
			}
			c := e.Client(t)
			remove := func(key string, opts ...clientv3.OpOption) time.Time {
				t.Helper()
				begin := time.Now()
				if gone, err := c.Delete(t.Context(), key, opts...); err != nil || gone.Deleted == 0 {
					t.Fatalf("delete %s: %v, %v", key, gone, err)
				}
				return begin
			}
			begin := remove("/micro/registry/lone/a")
			within(t, "one key deleted: listed again", since(t, begin, "the node is listed", func() bool { return listed(reader, "lone", 1) }), time.Second)
			again("all keys deleted", remove("/micro/registry/s/", clientv3.WithPrefix()), time.Second)
			again("an older backup restored", e.RestartFrom(t, saved), listedAgain)
			e.Wipe()
			again("restarted empty", e.Restart(t), listedAgain)
		})
	}
}

// followed is what a Watcher knows of one service.
type followed struct{ nodes chan map[string]bool }

// follow watches a service from now on, beginning with what is there.
func follow(t *testing.T, r registry.Registry, name string) followed {
	t.Helper()
	w, err := r.Watch(registry.WatchService(name))
	if err != nil {
		t.Fatal(err)
	}
	there, err := ids(r, name)
	if err != nil {
		t.Fatal(err)
	}
	nodes := map[string]bool{}
	for id := range there {
		nodes[id] = true
	}
	f := followed{make(chan map[string]bool, 1)}
	f.nodes <- nodes
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			e, err := w.Next()
			if err != nil {
				return
			}
			nodes := <-f.nodes
			for _, n := range e.Service.Nodes {
				if e.Action == registry.Delete.String() {
					delete(nodes, n.Id)
				} else {
					nodes[n.Id] = true
				}
			}
			f.nodes <- nodes
		}
	}()
	t.Cleanup(func() {
		w.Stop()
		<-done
	})
	return f
}

// count returns how many nodes there are.
func (f followed) count() int {
	nodes := <-f.nodes
	defer func() { f.nodes <- nodes }()
	return len(nodes)
}
