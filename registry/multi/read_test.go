package multi

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// TestReads has two members with what each holds and how it behaves, and looks for
// what is found, and after how long.
func TestReads(t *testing.T) {
	for _, tt := range []struct {
		name, a, b   string // the one record of each
		modeA, modeB mode
		want         string
		within       time.Duration
	}{
		{"nothing", "", "", up, up, "not found", 0},
		{"one has it", "", "s 1 n b:1", up, up, "s@1/n=b:1", 0},
		{"both have it, the first counts", "s 1 n a:1", "s 2 n b:1", up, up, "s@1/n=a:1", 0},
		{"both have one", "s 1 n a:1", "s 1 m b:1", up, up, "s@1/m=b:1 s@1/n=a:1", 0},
		{"one fails", "s 1 n a:1", "s 1 m b:1", fails, up, "s@1/m=b:1", 0},
		{"one hangs", "s 1 n a:1", "s 1 m b:1", hangs, up, "s@1/m=b:1", grace},
		{"one has nothing, the other fails", "", "s 1 m b:1", up, fails, "b: away", 0},
		{"one has nothing, the other hangs", "", "s 1 m b:1", up, hangs, "b: it has not answered in time", 5 * time.Second},
		{"both fail", "s 1 n a:1", "s 1 m b:1", fails, fails, "a: away; b: away", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := newFake(t, "a"), newFake(t, "b")
				for text, f := range map[string]*fake{tt.a: a, tt.b: b} {
					if text != "" {
						if err := f.Registry.Register(one(text)); err != nil {
							t.Fatal(err)
						}
					}
				}
				a.set(tt.modeA)
				b.set(tt.modeB)
				m := open(t, kept{a}, kept{b})
				begun := time.Now()
				services, err := m.GetService("s")
				got := outline(services)
				switch {
				case errors.Is(err, registry.ErrNotFound):
					got = "not found"
				case err != nil:
					got = err.Error()
				}
				if !strings.Contains(got, tt.want) || time.Since(begun) > tt.within {
					t.Errorf("got %q after %v, want %q after %v", got, time.Since(begun), tt.want, tt.within)
				}
				all, listErr := m.ListServices()
				if found := err == nil; found != (len(all) > 0) || (listErr == nil) != (found || errors.Is(err, registry.ErrNotFound)) {
					t.Errorf("the list is %q, %v, the lookup %v", outline(all), listErr, err)
				}
				names, _ := m.Names(t.Context())
				if (err == nil) != (len(names) > 0) {
					t.Errorf("the names are %q", names)
				}
			})
		})
	}
}

// TestReadsSayWhatHindersMembers gives the reads a context of their own, which ends
// while one member waits for what is away.
func TestReadsSayWhatHindersMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t, "a"), newFake(t, "b")
		a.set(fails)
		b.set(hangs)
		m := open(t, kept{a}, kept{b})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := m.ListServices(registry.ListContext(ctx))
		const want = "a: away; b: it has not answered in time"
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	})
}

func TestWithoutMembers(t *testing.T) {
	m := open(t)
	_, err := m.GetService("s")
	if m.Err() == nil || err == nil || errors.Is(err, registry.ErrNotFound) || m.Register(one("s 1 n a:1")) == nil {
		t.Errorf("got %v and %v", m.Err(), err)
	}
}

func TestAddressesBelongToMembers(t *testing.T) {
	m := open(t, kept{newFake(t, "a")})
	if err := m.Init(registry.Addrs("h:1")); err == nil || !strings.Contains(err.Error(), `"h:1"`) {
		t.Errorf("got %v", err)
	}
	if err := m.Init(registry.Timeout(time.Second)); err != nil || m.Options().Timeout != time.Second || m.members[0].Options().Timeout != time.Second {
		t.Errorf("got %v, %+v", err, m.Options())
	}
}

func TestMembersAreToldApart(t *testing.T) {
	m := open(t, kept{newFake(t, "etcd")}, kept{newFake(t, "etcd")})
	if m.members[0].label == m.members[1].label {
		t.Errorf("both are %q", m.members[0].label)
	}
}
