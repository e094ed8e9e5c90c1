package bridge

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/consul"
)

func openConsul(t *testing.T, agent *testkit.Consul) registry.Registry {
	t.Helper()
	r := consul.NewRegistry(registry.Addrs(agent.Addr()))
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// TestBetweenConsulAndEtcd runs both directions at once, while services move.
func TestBetweenConsulAndEtcd(t *testing.T) {
	t.Parallel()
	agent, server := testkit.StartConsul(t), testkit.StartEtcd(t)
	c, e := openConsul(t, agent), open(t, server)
	must(t, c.Register(node("shop", "shop-1", "10.0.0.1:1"), registry.RegisterTTL(ttl)))
	must(t, e.Register(node("user", "user-1", "10.0.0.2:1"), registry.RegisterTTL(ttl)))
	_, stopThere := bridged(t, Side{"consul", openConsul(t, agent)}, Side{"etcd", open(t, server)})
	_, stopBack := bridged(t, Side{"etcd", open(t, server)}, Side{"consul", openConsul(t, agent)})
	becomes(t, e, "shop/shop-1@10.0.0.1:1<consul user/user-1@10.0.0.2:1")
	becomes(t, registered{c}, "shop/shop-1@10.0.0.1:1 user/user-1@10.0.0.2:1<etcd")

	// One registers in the other by itself, another changes, a third comes and leaves.
	must(t, e.Register(node("shop", "shop-1", "10.0.0.9:1"), registry.RegisterTTL(ttl)))
	must(t, e.Register(node("user", "user-1", "10.0.0.8:1"), registry.RegisterTTL(ttl)))
	must(t, c.Register(node("cart", "cart-1", "10.0.0.3:1"), registry.RegisterTTL(ttl)))
	becomes(t, e, "cart/cart-1@10.0.0.3:1<consul shop/shop-1@10.0.0.9:1 user/user-1@10.0.0.8:1")
	becomes(t, registered{c}, "cart/cart-1@10.0.0.3:1 shop/shop-1@10.0.0.1:1 user/user-1@10.0.0.8:1<etcd")
	must(t, c.Deregister(node("cart", "cart-1", "10.0.0.3:1")))
	becomes(t, e, "shop/shop-1@10.0.0.9:1 user/user-1@10.0.0.8:1")

	// The other way round: the record of the service itself is not touched.
	must(t, c.Register(node("user", "user-1", "10.0.0.7:1"), registry.RegisterTTL(ttl)))
	becomes(t, registered{c}, "shop/shop-1@10.0.0.1:1 user/user-1@10.0.0.7:1")
	must(t, e.Deregister(node("user", "user-1", "10.0.0.8:1")))
	becomes(t, e, "shop/shop-1@10.0.0.9:1 user/user-1@10.0.0.7:1<consul")
	stopThere()
	stopBack()
	becomes(t, e, "shop/shop-1@10.0.0.9:1")
	becomes(t, registered{c}, "shop/shop-1@10.0.0.1:1 user/user-1@10.0.0.7:1")
}

// registered lists the nodes of a Consul too, whose list has names alone, and leaves
// Consul itself out.
type registered struct{ registry.Registry }

func (r registered) ListServices(...registry.ListOption) ([]*registry.Service, error) {
	names, err := r.Registry.ListServices()
	var all []*registry.Service
	for _, s := range names {
		if s.Name == "consul" || err != nil {
			continue
		}
		var versions []*registry.Service
		if versions, err = r.GetService(s.Name); err == registry.ErrNotFound {
			versions, err = nil, nil
		}
		all = append(all, versions...)
	}
	return all, err
}

// TestConsulThatComesBackEmpty restarts an agent that has everything in memory. One of
// the processes that had registered is gone, so that nobody but the bridge knows of
// its node.
func TestConsulThatComesBackEmpty(t *testing.T) {
	t.Parallel()
	agent, server := testkit.StartConsul(t), testkit.StartEtcd(t)
	lives, e := openConsul(t, agent), open(t, server)
	gone := consul.NewRegistry(registry.Addrs(agent.Addr()))
	must(t, lives.Register(node("shop", "shop-1", "10.0.0.1:1"), registry.RegisterTTL(time.Minute)))
	must(t, gone.Register(node("shop", "shop-2", "10.0.0.2:1"), registry.RegisterTTL(time.Minute)))
	l, _ := bridged(t, Side{"consul", openConsul(t, agent)}, Side{"etcd", open(t, server)})
	const both = "shop/shop-1@10.0.0.1:1<consul shop/shop-2@10.0.0.2:1<consul"
	becomes(t, e, both)
	must(t, gone.(io.Closer).Close())
	agent.Kill()
	told(t, l, "ready, lost consul")
	agent.Restart(t)
	told(t, l, "ready, lost consul, back consul")
	testkit.Eventually(t, 30*time.Second, "the node is kept", func() bool { return l.kinds("shop-2") == "create, keep" })
	becomes(t, registered{lives}, "shop/shop-1@10.0.0.1:1")
	becomes(t, e, both)
	if got := l.kinds("shop-1") + l.kinds("shop-2"); strings.Contains(got, string(Removed)) {
		t.Errorf("told %s", got)
	}
}
