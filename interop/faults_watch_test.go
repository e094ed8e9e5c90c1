package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// batch is how many keys change at once.
const batch = 100

var watchFaults = []fault{
	{row: "B1", what: "one transaction registers 100 nodes", bound: "100 of 100 seen by a Watcher", short: true, measure: batchOfPuts},
	{row: "B1 lease", what: "a lease with 100 nodes is revoked", bound: "100 of 100 seen by a Watcher", measure: batchOfDeletes},
	{row: "B2", what: "cut off; one node leaves and etcd is compacted meanwhile", bound: "the cache agrees with etcd <= 4 s after the link is back", measure: compactedWhileCutOff},
	{row: "B8", what: "one record of a service is no JSON", bound: "20 of 20 calls reach the good node", measure: poison("garbage")},
	{row: "B8 null", what: "one record has a node that is null", bound: "20 of 20 calls reach the good node", measure: poison(`{"name":"s","version":"","nodes":[null]}`)},
	{row: "B9, B10", what: "services a, a/b, a-b and a.b", bound: "each lookup yields its own node alone", short: true, measure: likeNames},
}

// many returns operations that write the records of a batch of nodes.
func many(lease clientv3.LeaseID) (ops []clientv3.Op) {
	for i := range batch {
		node := fmt.Sprintf("s-%03d", i)
		ops = append(ops, clientv3.OpPut(prefix+"s/"+node, string(one("s", node, "127.0.0.1:1")), clientv3.WithLease(lease)))
	}
	return ops
}

// seen counts the nodes in the events with an action that a watcher yields, until
// it has a batch or yields nothing for a while.
func seen(t *testing.T, next func(time.Duration) (peer.Event, error), action string) outcome {
	t.Helper()
	nodes := make(map[string]bool)
	for len(nodes) < batch {
		e, err := next(3 * time.Second)
		if err != nil {
			break
		}
		var s struct{ Nodes []struct{ Id string } }
		if err := json.Unmarshal(e.Service, &s); err != nil {
			t.Fatal(err)
		}
		for _, n := range s.Nodes {
			if e.Action == action {
				nodes[n.Id] = true
			}
		}
	}
	return outcome{fmt.Sprintf("%d of %d", len(nodes), batch), len(nodes) == batch}
}

func batchOfPuts(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	next := subject(t, k, etcd.Addr()).watch("s")
	s.watched(next)
	s.commit(many(clientv3.NoLease)...)
	return seen(t, next, "create")
}

func batchOfDeletes(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	lease, err := s.c.Grant(ctx, 60)
	if err != nil {
		t.Fatal(err)
	}
	s.commit(many(lease.ID)...)
	next := subject(t, k, etcd.Addr()).watch("s")
	s.watched(next)
	if _, err := s.c.Revoke(ctx, lease.ID); err != nil {
		t.Fatal(err)
	}
	return seen(t, next, "delete")
}

func compactedWhileCutOff(t *testing.T, k kind) outcome {
	etcd, link, s := linked(t)
	for _, node := range []string{"a", "b"} {
		s.put("s", node, string(one("s", node, "127.0.0.1:1")))
	}
	p := subject(t, k, link.Addr())
	has := func(want ...string) func() bool {
		return func() bool { return slices.Equal(p.nodesBy(peer.OpCached, "s"), want) }
	}
	if _, ok := happened(time.Now(), never(), has("a", "b")); !ok {
		t.Fatal("the cache does not see two nodes")
	}
	// The cache follows the service once it sees what is new. v2's starts to do so
	// a while after its first lookup.
	testkit.Elapse(t, time.Second)
	s.put("s", "c", string(one("s", "c", "127.0.0.1:1")))
	if _, ok := happened(time.Now(), never(), has("a", "b", "c")); !ok {
		t.Fatal("the cache does not follow")
	}

	link.Cut()
	s.remove(prefix + "s/b")
	for i := range 20 {
		s.put("other", fmt.Sprint(i), string(one("other", fmt.Sprint(i), "127.0.0.1:1")))
	}
	etcd.Compact(t)
	s.put("other", "last", string(one("other", "last", "127.0.0.1:1")))
	link.Restore(t)
	return after(time.Now(), "without the node that left", listedAgain, has("a", "c"))
}

// poison returns the measurement of calls where value stands beside a good record.
func poison(value string) func(*testing.T, kind) outcome {
	return func(t *testing.T, k kind) outcome {
		etcd := testkit.StartEtcd(t)
		s := storeOf(t, etcd)
		subject(t, k, etcd.Addr()).start(victim("s"))
		s.there("s", "s-one")
		s.put("s", "poison", value)
		return called(subject(t, k, etcd.Addr()), 20)
	}
}

func likeNames(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	p := subject(t, k, etcd.Addr())
	names := []string{"a", "a/b", "a-b", "a.b"}
	for i, name := range names {
		p.do(peer.OpRegister, peer.Record{Service: one(name, fmt.Sprint(i), "127.0.0.1:1"), TTL: time.Minute}, nil)
	}
	for i, name := range names {
		if got := p.nodesBy(peer.OpGet, name); !slices.Equal(got, []string{fmt.Sprint(i)}) {
			return outcome{text: fmt.Sprintf("%s yields %d nodes", name, len(got))}
		}
	}
	return outcome{"its own node each", true}
}

// watched waits until a watcher of the service s sees what happens.
func (s store) watched(next func(time.Duration) (peer.Event, error)) {
	s.t.Helper()
	testkit.Eventually(s.t, 10*time.Second, "the watcher sees an event", func() bool {
		s.put("s", "first", string(one("s", "first", "127.0.0.1:1")))
		_, err := next(500 * time.Millisecond)
		return err == nil
	})
	// Those of the attempts before come too.
	for {
		if _, err := next(200 * time.Millisecond); err != nil {
			return
		}
	}
}

// commit carries out operations in one transaction.
func (s store) commit(ops ...clientv3.Op) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	if _, err := s.c.Txn(ctx).Then(ops...).Commit(); err != nil {
		s.t.Fatalf("write to etcd: %v", err)
	}
}

// remove deletes what stands under a key.
func (s store) remove(key string, opts ...clientv3.OpOption) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	if gone, err := s.c.Delete(ctx, key, opts...); err != nil || gone.Deleted == 0 {
		s.t.Fatalf("delete %s from etcd: %v, %v", key, gone, err)
	}
}
