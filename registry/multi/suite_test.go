package multi

import (
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/registry/registrytest"
)

// The suite for registries runs on one of two members, which keep what they hold.
func TestRegistry(t *testing.T) {
	t.Parallel()
	var a, b registry.Registry
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		a, b = memories(t)
		return open(t, a, b)
	}, registrytest.Second(func(t *testing.T) registry.Registry { return open(t, a, b) }),
		registrytest.Unreachable(func(t *testing.T) (registry.Registry, string) {
			one, other := newFake(t, "one"), newFake(t, "other")
			one.set(fails)
			other.set(hangs)
			m := open(t, one, other)
			if err := m.Init(registry.Timeout(time.Second)); err != nil {
				t.Fatal(err)
			}
			return m, "one: " + errAway.Error()
		}), registrytest.Renews(), registrytest.Coalesces(), registrytest.TTL(2*time.Second), registrytest.Crowd(1000))
}

// ... and on one of two kinds: the first keeps what it holds in memory, the second in a
// server, where changes come over a connection and a lease runs out.
func TestRegistryOfTwoKinds(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	keys := server.Client(t)
	var inMemory registry.Registry
	both := func(t *testing.T) registry.Registry {
		return open(t, inMemory, etcd.NewRegistry(registry.Addrs(server.Addr())))
	}
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		if _, err := keys.Delete(t.Context(), "\x00", clientv3.WithFromKey()); err != nil {
			t.Fatal(err)
		}
		inMemory, _ = memories(t)
		return both(t)
	}, registrytest.Second(both), registrytest.Unreachable(func(t *testing.T) (registry.Registry, string) {
		const nobody = "127.0.0.1:1"
		away := newFake(t, "away")
		away.set(fails)
		return open(t, away, etcd.NewRegistry(registry.Addrs(nobody), registry.Timeout(time.Second))), nobody
	}), registrytest.Renews(), registrytest.Coalesces(), registrytest.TTL(2*time.Second), registrytest.Crowd(300))
}
