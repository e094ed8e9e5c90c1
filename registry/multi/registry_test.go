package multi

import (
	"io"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// kept is a member that outlives the registry that it belongs to, as a server does.
type kept struct{ registry.Registry }

func (kept) Close() error { return nil }

func (k kept) Unwrap() registry.Registry { return k.Registry }

// open returns a registry of the members, which are closed apart from it.
func open(t *testing.T, members ...registry.Registry) *multi {
	t.Helper()
	m := NewRegistry(members...).(*multi)
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// memories returns two members in memory.
func memories(t *testing.T) (a, b registry.Registry) {
	t.Helper()
	a, b = memory.NewRegistry(), memory.NewRegistry()
	t.Cleanup(func() {
		if err := a.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
		if err := b.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return kept{a}, kept{b}
}
