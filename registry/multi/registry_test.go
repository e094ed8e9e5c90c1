package multi

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

func TestMain(m *testing.M) { testkit.MainWaiting(m) }

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

// stuck is a member whose Close lasts until it is let go.
type stuck struct {
	registry.Registry
	until chan struct{}
}

func (s stuck) Close() error {
	<-s.until
	return nil
}

// ending is a member that notes its end.
type ending struct {
	registry.Registry
	ended chan struct{}
}

func (e ending) Close() error {
	close(e.ended)
	return nil
}

func TestAMemberThatDoesNotEndHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memories(t)
		slow, last := stuck{a, make(chan struct{})}, ending{b, make(chan struct{})}
		defer close(slow.until)
		m := NewRegistry(slow, last)
		begun := time.Now()
		err := m.(io.Closer).Close()
		if err == nil || !strings.Contains(err.Error(), "memory: it has not ended") || time.Since(begun) > defaults.RegistryTimeout {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		select {
		case <-last.ended:
		default:
			t.Error("the other member was not closed")
		}
	})
}

// during is a member that asks the registry it belongs to while it is set up.
type during struct {
	registry.Registry
	ask func()
}

func (d during) Init(...registry.Option) error {
	d.ask()
	return nil
}

func TestAMemberIsSetUpWithNothingHeld(t *testing.T) {
	a, b := memories(t)
	var m registry.Registry
	m = open(t, during{a, func() { _ = m.Options() }}, b)
	if err := m.Init(registry.Timeout(time.Second)); err != nil || m.Options().Timeout != time.Second {
		t.Errorf("%v, %+v", err, m.Options())
	}
}
