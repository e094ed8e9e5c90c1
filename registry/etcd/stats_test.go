package etcd_test

import (
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// A registry counts what it does and what befalls it, also over Init.
func TestStats(t *testing.T) {
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	r := open(t, e.Addr())
	stats := func(name string) uint64 {
		n, ok := r.(interface{ Stats() map[string]uint64 }).Stats()[name]
		if !ok {
			t.Fatalf("there is no count %q", name)
		}
		return n
	}
	if n := stats("connections"); n != 0 {
		t.Errorf("%d connections before the first use", n)
	}
	s := &registry.Service{Name: "s", Nodes: []*registry.Node{{Id: "s-1", Address: "127.0.0.1:1"}}}
	if err := r.Register(s, registry.RegisterTTL(time.Minute)); err != nil {
		t.Fatal(err)
	}
	want := func(name string, n uint64) {
		t.Helper()
		testkit.Eventually(t, 5*time.Second, name, func() bool { return stats(name) == n })
	}
	want("connections", 1)
	want("leases_granted", 1)
	want("keys_written", 1)
	testkit.Eventually(t, 5*time.Second, "watches of the key, and of the one that pauses it", func() bool { return stats("watches") >= 2 })
	before := stats("events")
	if _, err := c.Delete(t.Context(), "/micro/registry/s/s-1"); err != nil {
		t.Fatal(err)
	}
	want("keys_lost", 1)
	testkit.Eventually(t, 5*time.Second, "the delete is an event", func() bool { return stats("events") > before })
	want("keys_written", 2)
	got, err := c.Get(t.Context(), "/micro/registry/s/s-1")
	if err != nil || len(got.Kvs) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	if _, err := c.Revoke(t.Context(), clientv3.LeaseID(got.Kvs[0].Lease)); err != nil {
		t.Fatal(err)
	}
	want("leases_lost", 1)
	want("leases_granted", 2)
	want("keys_written", 3)

	if err := r.Init(registry.Timeout(3 * time.Second)); err != nil {
		t.Fatal(err)
	}
	want("connections", 2)
	want("leases_granted", 3)
	if n := stats("keys_lost"); n != 2 {
		t.Errorf("after Init %d keys were lost, want those of before", n)
	}
}
