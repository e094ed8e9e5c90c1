package journal_test

import (
	"path/filepath"
	"testing"

	journal "github.com/rollcall-go/micro/examples/registry"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/registrytest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestRegistry(t *testing.T) {
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		return journal.NewRegistry(registry.Addrs(filepath.Join(t.TempDir(), "journal")))
	}, registrytest.NoContexts())
}
