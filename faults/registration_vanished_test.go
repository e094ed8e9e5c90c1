package faults

import (
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
)

// TestA3KeysVanish: one key is deleted, etcd restarts with its data, all keys are deleted, etcd
// restarts with an older backup and with nothing. Every live node is listed again
// at most 1 s after a delete, 4 s after a restart; a Watcher knows, and so does the
// node itself; calls go on.
func TestA3KeysVanish(t *testing.T) {
	t.Parallel()
	for _, kind := range testkit.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			keysVanish(t, kind)
		})
	}
}

func keysVanish(t *testing.T, kind testkit.Kind) {
	t.Helper()
	const count = 20
	e := testkit.StartEtcd(t, testkit.OfKind(kind))
	saved := e.Save(t) // of before anybody registered
	var nodes []*fleet.Node
	for range count {
		// Each has a connection of its own, as a process has.
		nodes = append(nodes, fleet.Service(t, "s", fleet.Registry(t, e.Addr()), nil))
	}
	// A key that vanishes twice within seconds is put back with a pause; so the one
	// that is deleted alone is another's.
	lone := fleet.Service(t, "lone", fleet.Registry(t, e.Addr()), nil)
	reader := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "all nodes are listed", func() bool { return fleet.Listed(reader, "s", count) && fleet.Listed(reader, "lone", 1) })
	seen, seenLone := fleet.Follow(t, reader, "s"), fleet.Follow(t, reader, "lone")
	caller := fleet.Client(t, fleet.Registry(t, e.Addr()))
	fleet.MustSay(t, caller, "s")
	again := func(what string, begin time.Time, bound time.Duration) {
		t.Helper()
		within(t, what+": listed again", since(t, begin, "all nodes are listed", func() bool { return fleet.Listed(reader, "s", count) }), bound)
		within(t, what+": seen by a Watcher", since(t, begin, "a Watcher knows all nodes", func() bool { return len(seen.Nodes()) == count }), bound+time.Second)
		for _, n := range nodes {
			testkit.Passes(t, patience, n.ID()+" knows that it is registered", n.Ready)
		}
		fleet.MustSay(t, caller, "s")
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
	events := seenLone.Events()
	begin := remove("/micro/registry/lone/" + lone.ID())
	within(t, "one key deleted: listed again", since(t, begin, "the node is listed", func() bool { return fleet.Listed(reader, "lone", 1) }), time.Second)
	seenLone.Told(t, begin, events, 2)
	sameOrder(t, "what a Watcher of the one key is told", seenLone.Said(events), []string{"delete lone/" + lone.ID(), "create lone/" + lone.ID()})

	e.Kill()
	fleet.MustSay(t, caller, "s") // from what the client knows
	again("killed and restarted", e.Restart(t), listedAgain)
	again("all keys deleted", remove("/micro/registry/s/", clientv3.WithPrefix()), time.Second)
	again("an older backup restored", e.RestartFrom(t, saved), listedAgain)
	e.Wipe()
	fleet.MustSay(t, caller, "s")
	again("restarted empty", e.Restart(t), listedAgain)

	// Each lost its key by the delete, the backup and the wipe; a kill takes none.
	stats := nodes[0].Stats()
	if stats["registered"] != 1 || stats["registrations_lost"] < 3 || stats["registrations"] != stats["registrations_lost"]+1 {
		t.Errorf("the first node counts %v, want at least 3 losses and a registration after each", stats)
	}
}
