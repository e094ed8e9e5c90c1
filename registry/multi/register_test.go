package multi

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/registry"
)

func found(t *testing.T, f *fake, name string) string {
	t.Helper()
	services, err := f.Registry.GetService(name)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		t.Error(err)
	}
	return outline(services)
}

func keepsNothing(t *testing.T, m *multi) {
	t.Helper()
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.registrations) != 0 {
		t.Errorf("%d registrations are kept", len(m.registrations))
	}
}

const (
	hello   = "s 1 n h:1"
	helloAt = "s@1/n=h:1"
)

func TestRegistersWhereItCanAndGoesOnWhereItCannot(t *testing.T) {
	for _, away := range []mode{fails, hangs} {
		synctest.Test(t, func(t *testing.T) {
			a, b := newFake(t, "a"), newFake(t, "b")
			a.set(away)
			m := open(t, kept{a}, kept{b})
			begun := time.Now()
			if err := m.Register(one(hello), registry.RegisterTTL(3*time.Second)); err != nil || time.Since(begun) > grace {
				t.Fatalf("%v after %v", err, time.Since(begun))
			}
			if found(t, b, "s") != helloAt {
				t.Error("the member that is there has not got the node")
			}
			<-time.NewTimer(10 * time.Second).C // more than the TTL: it is renewed
			a.set(up)
			<-time.NewTimer(6 * time.Second).C // the operation that hangs, and a retry
			if found(t, a, "s") != helloAt || found(t, b, "s") != helloAt {
				t.Errorf("a has %q, b has %q", found(t, a, "s"), found(t, b, "s"))
			}
			if err := m.Deregister(one(hello)); err != nil {
				t.Error(err)
			}
			if found(t, a, "s")+found(t, b, "s") != "" {
				t.Error("it was not deregistered everywhere")
			}
			keepsNothing(t, m)
		})
	}
}

func TestRegisterFailsIfAllMembersDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t, "a"), newFake(t, "b")
		a.set(fails)
		b.set(hangs)
		m := open(t, kept{a}, kept{b})
		err := m.Register(one(hello))
		if err == nil || !strings.Contains(err.Error(), "a: away; b: ") || !errors.Is(err, errAway) {
			t.Errorf("got %v", err)
		}
		a.set(up)
		b.set(up)
		<-time.NewTimer(10 * time.Second).C
		if found(t, a, "s")+found(t, b, "s") != "" {
			t.Error("what was refused was registered later")
		}
		keepsNothing(t, m)
	})
}

func TestRegisterEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t, "a"), newFake(t, "b")
		a.set(hangs)
		b.set(hangs)
		m := open(t, kept{a}, kept{b})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if err := m.Register(one(hello), registry.RegisterContext(ctx)); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestDeregisterNamesWhoDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t, "a"), newFake(t, "b")
		m := open(t, kept{a}, kept{b})
		if err := m.Register(one(hello)); err != nil {
			t.Fatal(err)
		}
		a.set(hangs)
		begun := time.Now()
		err := m.Deregister(one(hello))
		if err == nil || !strings.Contains(err.Error(), "a: it has not answered") || strings.Contains(err.Error(), "b:") || time.Since(begun) > farewell {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if found(t, b, "s") != "" {
			t.Error("it is still in the member that is there")
		}
		a.set(up)
		<-time.NewTimer(10 * time.Second).C
		if found(t, a, "s") != "" {
			t.Error("it was not deregistered when the member was back")
		}
	})
}

// TestAHangingRegisterDoesNotComeLate deregisters while a member is still at it.
func TestAHangingRegisterDoesNotComeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t, "a"), newFake(t, "b")
		a.set(hangs)
		m := open(t, kept{a}, kept{b})
		if err := m.Register(one(hello)); err != nil {
			t.Fatal(err)
		}
		a.set(up)
		if err := m.Deregister(one(hello)); err != nil {
			t.Error(err)
		}
		<-time.NewTimer(20 * time.Second).C
		if found(t, a, "s")+found(t, b, "s") != "" {
			t.Error("the node is back")
		}
	})
}

// states collects what an observer is told.
type states struct {
	mu  sync.Mutex
	all []string
}

func (s *states) add(status ability.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := status.State.String()
	if status.Reason != "" {
		text += " (" + status.Reason + ")"
	}
	s.all = append(s.all, text)
}

// got waits until everybody waits and checks what has come since the last time.
func (s *states) got(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := strings.Join(s.all, ", "); got != want {
		t.Errorf("observed %q, want %q", got, want)
	}
	s.all = nil
}

func TestStatusOverMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t, "a"), newFake(t, "b")
		m := open(t, kept{a}, kept{b})
		var s states
		defer m.ObserveRegistration("s", "n", s.add)()
		s.got(t, "absent (not registered yet)")
		if err := m.Register(one(hello)); err != nil {
			t.Fatal(err)
		}
		s.got(t, "held")
		a.tell(t, one(hello), ability.Status{State: ability.Absent, Reason: "gone"})
		s.got(t, "") // the other one has it
		a.tell(t, one(hello), ability.Status{State: ability.Displaced, Reason: "another"})
		s.got(t, "")
		b.tell(t, one(hello), ability.Status{State: ability.Absent, Reason: "gone"})
		s.got(t, "displaced (a: another)")
		a.tell(t, one(hello), ability.Status{State: ability.Absent, Reason: "gone, too"})
		s.got(t, "absent (a: gone, too; b: gone)")
		b.tell(t, one(hello), ability.Status{State: ability.Held})
		s.got(t, "held")
		if err := m.Deregister(one(hello)); err != nil {
			t.Error(err)
		}
		s.got(t, "released (deregistered)")
	})
}

// TestAPauseInOneMemberHoldsInAll takes a node out in one registry, as an operator
// does, and puts it back.
func TestAPauseInOneMemberHoldsInAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t, "a"), newFake(t, "b")
		m := open(t, kept{a}, kept{b})
		var s states
		defer m.ObserveRegistration("s", "n", s.add)()
		if err := m.Register(one(hello), registry.RegisterTTL(3*time.Second)); err != nil {
			t.Fatal(err)
		}
		s.got(t, "absent (not registered yet), held")
		b.tell(t, one(hello), ability.Status{State: ability.Paused, Reason: "by me"})
		s.got(t, "paused (b: by me)")
		<-time.NewTimer(10 * time.Second).C
		if found(t, a, "s") != "" {
			t.Error("the other member still has the node")
		}
		if ids, err := m.Paused(t.Context(), "s"); err != nil || strings.Join(ids, " ") != "n" {
			t.Errorf("paused are %q, %v", ids, err)
		}
		b.tell(t, one(hello), ability.Status{State: ability.Held})
		s.got(t, "held")
		if found(t, a, "s") != helloAt || found(t, b, "s") != helloAt {
			t.Errorf("a has %q, b has %q", found(t, a, "s"), found(t, b, "s"))
		}
	})
}
