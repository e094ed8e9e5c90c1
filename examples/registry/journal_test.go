package journal_test

import (
	"path/filepath"
	"testing"
	"time"

	journal "github.com/rollcall-go/micro/examples/registry"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/registrytest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestRegistry(t *testing.T) {
	var path string
	open := func(*testing.T) registry.Registry { return journal.NewRegistry(registry.Addrs(path)) }
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		path = filepath.Join(t.TempDir(), "journal")
		return open(t)
	}, registrytest.Second(open), registrytest.TTL(500*time.Millisecond), registrytest.Crowd(1000), registrytest.NoContexts(),
		registrytest.Unreachable(func(t *testing.T) (registry.Registry, string) {
			directory := t.TempDir() // which is no file
			return journal.NewRegistry(registry.Addrs(directory)), directory
		}))
}
