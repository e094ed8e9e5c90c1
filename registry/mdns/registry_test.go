package mdns

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/mdns"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/registrytest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		if err := child(role); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	testkit.Main(m)
}

// alone is a domain of this test, on this host alone, so that nothing of it is seen
// elsewhere.
func alone() registry.Option {
	domain := fmt.Sprintf("test-%016x", rand.Uint64())
	return func(o *registry.Options) {
		Domain(domain)(o)
		o.Context = settings.With(o.Context, mdnsSettings{links: mdns.Links{Loopback: true}, absent: 300 * time.Millisecond})
	}
}

func open(t *testing.T, opts ...registry.Option) *backend {
	t.Helper()
	b := NewRegistry(opts...).(*backend)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// crashing is a registry whose Close is that of a process that is killed.
type crashing struct{ *backend }

func (c crashing) Close() error { return c.engine.Kill() }

var _ io.Closer = crashing{}

func TestRegistry(t *testing.T) {
	var place registry.Option
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		place = alone()
		return open(t, place)
	},
		registrytest.Renews(), registrytest.TTL(2*time.Second), registrytest.Eventual(), registrytest.NoServiceMetadata(), registrytest.Refuses("..."),
		registrytest.Unreachable(func(t *testing.T) (registry.Registry, string) {
			return open(t, on(func() (mdns.Transport, error) { return nil, mdns.ErrNoMulticast })), "multicast works on no interface"
		}),
		registrytest.Second(func(t *testing.T) registry.Registry { return crashing{open(t, place)} }))
}
