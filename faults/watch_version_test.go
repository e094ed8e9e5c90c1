package faults

import (
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
)

// TestB6KnownFaultsOfEtcd: a service says once that the etcd it is registered in
// is of a release whose watch is known to lose events, over many connections, and
// says nothing of one that is free of such faults.
func TestB6KnownFaultsOfEtcd(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		const warning = "has known faults in its watch"
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		proxy := testkit.StartProxy(t, e.Addr())
		n := fleet.Process(t, "--registry=etcd", "--registry_address="+proxy.Addr(), "--register_ttl=2")
		n.Says(t, "Registering node: node-")
		if kind == testkit.Debian {
			n.Says(t, warning)
		}
		r := fleet.Registry(t, e.Addr())
		for range 3 {
			proxy.Cut()
			testkit.Eventually(t, patience, "the node is gone", func() bool { return fleet.Listed(r, "node", 0) })
			proxy.Restore(t)
			testkit.Eventually(t, patience, "the node is back", func() bool { return fleet.Listed(r, "node", 1) })
		}
		want := 0
		if kind == testkit.Debian {
			want = 1
		}
		t.Logf("measured: warnings %d over 4 connections, bound %d", n.Lines(warning), want)
		if got := n.Lines(warning); got != want {
			t.Errorf("%d warnings, want %d", got, want)
		}
	})
}
