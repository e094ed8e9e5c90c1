package faults

import (
	"errors"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// judge stops the load and fails the test if a call failed, or if there were fewer
// than least, which prove nothing.
func judge(t *testing.T, l *fleet.Load, least int) {
	t.Helper()
	l.Stop()
	t.Logf("measured: %v; at least %d calls", l, least)
	atMost(t, "failed calls", l.Failed(), 0)
	if l.Calls() < least {
		t.Errorf("%d calls prove nothing, want %d", l.Calls(), least)
	}
	if err := l.Err(); err != nil {
		t.Errorf("the first failure: %v", err)
	}
}

// unattended starts n nodes of a service that live but whose records nobody looks
// after, and returns the leases on which these hang.
func unattended(t *testing.T, etcd *clientv3.Client, name string, n int) (leases []clientv3.LeaseID) {
	t.Helper()
	own := memory.NewRegistry()
	for range n {
		fleet.Service(t, name, own, nil)
	}
	return recordsOf(t, etcd, name, own, n)
}

// recordsOf puts the records of the n nodes that are in own into etcd, each under a
// lease of its own that nobody renews.
func recordsOf(t *testing.T, etcd *clientv3.Client, name string, own registry.Registry, n int) (leases []clientv3.LeaseID) {
	t.Helper()
	testkit.Eventually(t, patience, "the nodes run", func() bool { return fleet.Listed(own, name, n) })
	services, err := own.GetService(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		for _, node := range s.Nodes {
			lease, err := etcd.Grant(t.Context(), 600)
			if err != nil {
				t.Fatal(err)
			}
			value, err := layout.Encode(s, node)
			if err == nil {
				_, err = etcd.Put(t.Context(), layout.Layout{}.Node(name, node.Id), string(value), clientv3.WithLease(lease.ID))
			}
			if err != nil {
				t.Fatal(err)
			}
			leases = append(leases, lease.ID)
		}
	}
	return leases
}

// Row C1. Fault: the leases of all nodes of a service run out together, though the nodes
// live, and nobody registers them again. Bound: no call fails.
func TestC1AllLeasesRunOut(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	admin := e.Client(t)
	leases := unattended(t, admin, "alive", 3)
	r := fleet.Registry(t, e.Addr())
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "alive")
	// The control: a client that believes whatever it is told.
	credulous := fleet.Client(t, r)
	if err := credulous.Init(cgrpc.Suspects(false)); err != nil {
		t.Fatal(err)
	}
	fleet.MustSay(t, credulous, "alive")
	load := fleet.StartLoad(t, c, "alive", 2, 0)
	load.More(t, 50)
	for _, id := range leases {
		if _, err := admin.Revoke(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if !fleet.Listed(r, "alive", 0) {
		t.Error("nothing was disturbed: the nodes are still registered")
	}
	testkit.Eventually(t, patience, "a client without suspects has no node", func() bool {
		return errors.Is(fleet.Say(t.Context(), credulous, "alive"), registry.ErrNotFound)
	})
	load.More(t, times(300, 3000))
	judge(t, load, 350)
}

// Row C1. Fault: the lease of the only node of a service runs out, though the node lives,
// and nobody registers it again. Bound: no call fails; once the node is gone too, calls
// find none.
func TestC1TheOnlyLeaseRunsOut(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	admin := e.Client(t)
	own := memory.NewRegistry()
	n := fleet.Service(t, "lone", own, nil)
	leases := recordsOf(t, admin, "lone", own, 1)
	c := fleet.Client(t, fleet.Registry(t, e.Addr()))
	fleet.MustSay(t, c, "lone")
	load := fleet.StartLoad(t, c, "lone", 2, 0)
	load.More(t, 50)
	if _, err := admin.Revoke(t.Context(), leases[0]); err != nil {
		t.Fatal(err)
	}
	load.More(t, times(300, 3000))
	judge(t, load, 350)
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	since(t, time.Now(), "callers know", func() bool { return errors.Is(fleet.Say(t.Context(), c, "lone"), registry.ErrNotFound) })
}

// Row C1. Fault: etcd is killed and comes back without its data. Bound: no call fails, and
// all nodes are registered again.
func TestC1EtcdComesBackEmpty(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	const nodes = 3
	for range nodes {
		fleet.Service(t, "wiped", fleet.Registry(t, e.Addr()), nil)
	}
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "the nodes are listed", func() bool { return fleet.Listed(r, "wiped", nodes) })
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "wiped")
	load := fleet.StartLoad(t, c, "wiped", 2, 0)
	load.More(t, 50)
	e.Wipe()
	load.More(t, 50)
	answered := e.Restart(t)
	took := since(t, answered, "all are listed again", func() bool { return fleet.Listed(r, "wiped", nodes) })
	load.More(t, times(100, 1000))
	within(t, "until all nodes were listed again", took, listedAgain)
	judge(t, load, 200)
}

// Row C1. Fault: the keys of live services, one of three nodes and three of one, are deleted
// by hand, at once and one by one, under 50 calls a second to each. Bound: no call
// fails, and the keys are back within a second.
func TestC1KeysDeletedByHand(t *testing.T) {
	t.Parallel()
	for _, kind := range testkit.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			e := testkit.StartEtcd(t, testkit.OfKind(kind))
			nodes := map[string]int{"three": 3, "one": 1, "two": 1, "more": 1}
			for name, n := range nodes {
				for range n {
					fleet.Service(t, name, fleet.Registry(t, e.Addr()), nil)
				}
			}
			r := fleet.Registry(t, e.Addr())
			listed := func() bool {
				for name, n := range nodes {
					if !fleet.Listed(r, name, n) {
						return false
					}
				}
				return true
			}
			testkit.Eventually(t, patience, "all nodes are listed", listed)
			c := fleet.Client(t, r)
			var all []*fleet.Load
			for name := range nodes {
				fleet.MustSay(t, c, name)
				all = append(all, fleet.StartLoad(t, c, name, 1, 10*time.Millisecond))
			}
			admin := e.Client(t)
			for name := range nodes { // one by one
				keys, err := admin.Get(t.Context(), layout.Layout{}.Service(name), clientv3.WithPrefix(), clientv3.WithKeysOnly())
				if err != nil {
					t.Fatal(err)
				}
				for _, kv := range keys.Kvs {
					if _, err := admin.Delete(t.Context(), string(kv.Key)); err != nil {
						t.Fatal(err)
					}
				}
			}
			within(t, "deleted one by one: listed again", since(t, time.Now(), "all nodes are listed", listed), time.Second)
			// A key that is gone again within 10 s is put back after a wait of its own, which
			// would leave little of the bound to a machine that is busy.
			testkit.Elapse(t, 11*time.Second)
			if gone, err := admin.Delete(t.Context(), layout.Layout{}.Services(), clientv3.WithPrefix()); err != nil || gone.Deleted != 6 {
				t.Fatalf("deleted %+v (%v), want 6 keys", gone, err)
			}
			within(t, "deleted at once: listed again", since(t, time.Now(), "all nodes are listed", listed), time.Second)
			for _, load := range all {
				load.More(t, 50)
				judge(t, load, 100)
			}
		})
	}
}

// Row C1. Fault: the keys are deleted by hand, and the node is paused before or after that.
// Bound: a paused node is not called any more once the operator was told so, and 3 s
// after that at most where its key was gone already.
func TestC1PausedAndDeletedByHand(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	n := fleet.Service(t, "paused", fleet.Registry(t, e.Addr()), nil)
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(r, "paused", 1) })
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "paused")
	admin := e.Client(t)
	// Both in one transaction: the owner finds its key gone and itself paused.
	_, err := admin.Txn(t.Context()).Then(
		clientv3.OpDelete(layout.Layout{}.Node("paused", n.ID())),
		clientv3.OpPut(layout.Layout{}.Pause("paused", n.ID()), "{}"),
	).Commit()
	if err != nil {
		t.Fatal(err)
	}
	took := since(t, time.Now(), "callers know", func() bool { return errors.Is(fleet.Say(t.Context(), c, "paused"), registry.ErrNotFound) })
	within(t, "until calls found no node", took, 3*time.Second)
}

// Row C1. Fault: the last node deregisters. Bound: callers learn of it within 1 s.
func TestC1TheLastNodeLeaves(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	n := fleet.Service(t, "leaving", fleet.Registry(t, e.Addr()), nil)
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(r, "leaving", 1) })
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "leaving")

	admin := e.Client(t)
	gone := make(chan time.Time, 1)
	watch := admin.Watch(t.Context(), layout.Layout{}.Node("leaving", n.ID()))
	go func() {
		<-watch
		gone <- time.Now()
	}()
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	var begin time.Time
	select {
	case begin = <-gone:
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
	took := since(t, begin, "callers know", func() bool { return errors.Is(fleet.Say(t.Context(), c, "leaving"), registry.ErrNotFound) })
	within(t, "until calls found no node", took, time.Second)
}
