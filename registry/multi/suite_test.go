package multi

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
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
