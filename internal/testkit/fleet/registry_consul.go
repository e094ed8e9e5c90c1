package fleet

import (
	"testing"

	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/consul"
)

// Consul opens a registry at the agent of Consul at addr. It is closed with the test.
func Consul(t testing.TB, addr string, opts ...registry.Option) registry.Registry {
	t.Helper()
	r := consul.NewRegistry(append([]registry.Option{registry.Addrs(addr), registry.Timeout(Timeout)}, opts...)...)
	t.Cleanup(func() { Close(t, r) })
	return r
}
