package interop_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

const (
	ttl      = 3 * time.Second
	interval = time.Second
	// expiry is how long a record may stay when nobody renews it.
	expiry = ttl + 3*time.Second
	// healing is how long a record may be away when its owner lives.
	healing = 2 * time.Second
)

// fixed returns a service with a node id that is chosen, not generated.
func fixed(name string) peer.Service {
	return peer.Service{Name: name, ID: "one", TTL: ttl, Interval: interval}
}

func (r *record) ours() bool   { return strings.Contains(r.value, `"rollcall":`) }
func (r *record) theirs() bool { return !r.ours() }

// TestCrashAndRestartAsV2 has a process of ours die, and its successor be one of
// v2 under the same fixed id. v2 adopts the lease that it finds on its key: if
// other nodes of the dead process were under it, they would live on.
func TestCrashAndRestartAsV2(t *testing.T) {
	t.Parallel()
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	first := run(t, ours, etcd.Addr(), "interop.first")
	first.start(fixed("fixed"))
	first.start(peer.Service{Name: "generated.a", TTL: ttl, Interval: interval})
	first.start(peer.Service{Name: "generated.b", TTL: ttl, Interval: interval})
	before := s.there("fixed", "fixed-one")
	a, b := s.only("generated.a"), s.only("generated.b")
	if a.lease != b.lease {
		t.Errorf("nodes with generated ids have leases %x and %x of their own", a.lease, b.lease)
	}
	if before.lease == a.lease {
		t.Error("the node with a fixed id shares the others' lease")
	}
	first.crash()

	second := run(t, v2, etcd.Addr(), "interop.second")
	second.start(fixed("fixed"))
	s.wait("fixed", "fixed-one", "belongs to v2", (*record).theirs)
	// While v2 renews its own, those of the dead process go.
	testkit.Eventually(t, expiry, "the dead process's other nodes are gone", func() bool {
		return len(s.all()) == 1
	})
	if r := s.get("fixed", "fixed-one"); r == nil || r.ours() {
		t.Errorf("v2's record is %+v", r)
	}
	second.crash()
	s.gone(expiry, "fixed", "fixed-one")
}

// TestCrashAndRestartAsOurs is the other way round.
func TestCrashAndRestartAsOurs(t *testing.T) {
	t.Parallel()
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	first := run(t, v2, etcd.Addr(), "interop.first")
	first.start(fixed("fixed"))
	first.start(fixed("another"))
	s.there("fixed", "fixed-one")
	s.there("another", "another-one")
	first.crash()

	second := run(t, ours, etcd.Addr(), "interop.second")
	second.start(fixed("fixed"))
	s.wait("fixed", "fixed-one", "belongs to ours", (*record).ours)
	s.gone(expiry, "another", "another-one")
	if r := s.get("fixed", "fixed-one"); r == nil || r.theirs() {
		t.Errorf("our record is %+v", r)
	}
	second.crash()
	s.gone(expiry, "fixed", "fixed-one")
}

// TestTakeover starts ours beside a living node of v2 with the same id.
func TestTakeover(t *testing.T) {
	t.Parallel()
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	older := run(t, v2, etcd.Addr(), "interop.older")
	older.start(fixed("fixed"))
	s.there("fixed", "fixed-one")
	newer := run(t, ours, etcd.Addr(), "interop.newer")
	newer.start(fixed("fixed"))
	taken := s.wait("fixed", "fixed-one", "belongs to ours", (*record).ours)

	// v2 believes that it is registered: it renews its lease and writes nothing.
	s.stays(3*interval, taken)
	// On its way out it deletes the key whoever's it is; the owner puts it back.
	older.stop("fixed")
	testkit.Eventually(t, healing, "the owner puts its record back", func() bool {
		r := s.get("fixed", "fixed-one")
		return r != nil && r.ours() && r.revision > taken.revision
	})
	newer.stop("fixed")
	s.gone(time.Second, "fixed", "fixed-one")
}

// TestDisplaced starts v2 beside a living node of ours with the same id.
func TestDisplaced(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		then func(t *testing.T, s store, older, newer *program, taken *record)
	}{
		{"we stop first", func(t *testing.T, s store, older, newer *program, taken *record) {
			older.stop("fixed")
			s.stays(interval, taken)
			newer.stop("fixed")
			s.gone(time.Second, "fixed", "fixed-one")
		}},
		{"v2 stops first", func(t *testing.T, s store, older, newer *program, taken *record) {
			newer.stop("fixed")
			testkit.Eventually(t, healing, "we are registered again", func() bool {
				r := s.get("fixed", "fixed-one")
				return r != nil && r.ours()
			})
			older.stop("fixed")
			s.gone(time.Second, "fixed", "fixed-one")
		}},
		{"v2 crashes first", func(t *testing.T, s store, older, newer *program, taken *record) {
			newer.crash()
			testkit.Eventually(t, expiry+healing, "we are registered again", func() bool {
				r := s.get("fixed", "fixed-one")
				return r != nil && r.ours()
			})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			etcd := testkit.StartEtcd(t)
			s := storeOf(t, etcd)
			older := run(t, ours, etcd.Addr(), "interop.older")
			older.start(fixed("fixed"))
			s.there("fixed", "fixed-one")
			newer := run(t, v2, etcd.Addr(), "interop.newer")
			newer.start(fixed("fixed"))
			taken := s.wait("fixed", "fixed-one", "belongs to v2", (*record).theirs)
			s.stays(3*interval, taken)
			if n := strings.Count(older.log.String(), "Node is displaced"); n != 1 {
				t.Errorf("the conflict is logged %d times, want once:\n%s", n, older.log.String())
			}
			tc.then(t, s, older, newer, taken)
		})
	}
}
