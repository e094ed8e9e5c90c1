package consul_test

import (
	"io"
	"net/url"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/consul"
	"github.com/rollcall-go/micro/registry/registrytest"
)

// nobody is an address at which nothing listens.
const nobody = "127.0.0.1:1"

func TestMain(m *testing.M) { testkit.MainWaiting(m) }

// open returns a registry at the agent at addr that is closed with the test.
func open(t *testing.T, addr string, opts ...registry.Option) registry.Registry {
	t.Helper()
	r := consul.NewRegistry(append([]registry.Option{registry.Addrs(addr)}, opts...)...)
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// empty deregisters everything from the agent and waits until the catalog is empty.
func empty(t *testing.T, agent *testkit.Consul) {
	t.Helper()
	var services map[string]any
	agent.Get(t, "/v1/agent/services", &services)
	for id := range services {
		agent.Do(t, "PUT", "/v1/agent/service/deregister/"+url.PathEscape(id), nil)
	}
	testkit.Eventually(t, 10*time.Second, "the catalog is empty", func() bool {
		var names map[string][]string
		agent.Get(t, "/v1/catalog/services", &names)
		return len(names) <= 1
	})
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t)
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		empty(t, agent)
		// An agent that holds hundreds of nodes alone takes its time for each.
		return open(t, agent.Addr(), registry.Timeout(patience))
	}, registrytest.Second(func(t *testing.T) registry.Registry {
		return open(t, agent.Addr(), registry.Timeout(patience))
	}), registrytest.Patience(2*patience),
		registrytest.Unreachable(func(t *testing.T) (registry.Registry, string) {
			return open(t, nobody, registry.Timeout(time.Second)), nobody
		}), registrytest.Renews(), registrytest.Eventual(), registrytest.Coalesces(), registrytest.TTL(2*time.Second), registrytest.Crowd(300))
}
