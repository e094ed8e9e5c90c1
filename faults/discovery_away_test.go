package faults

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/cache"
)

// Row C2. Fault: etcd is gone. Bound: the 99th percentile of a lookup is below 50 us and a
// lookup allocates nothing; no call waits for the registry; the age of the data is
// visible.
func TestC2EtcdIsGone(t *testing.T) { // beside no other test, which would be measured as well
	e := testkit.StartEtcd(t)
	fleet.Service(t, "static", fleet.Registry(t, e.Addr()), nil)
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(r, "static", 1) })
	c, kept := fleet.Client(t, r), cache.New(r)
	t.Cleanup(kept.Stop)
	d := discovery.New(feed.Of(r), discovery.Options{})
	t.Cleanup(d.Close)
	plain := cgrpc.NewClient(client.Registry(r))
	t.Cleanup(func() { fleet.Close(t, plain) })
	fleet.MustSay(t, c, "static")
	fleet.MustSay(t, plain, "static")
	if _, err := kept.GetService("static"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Wait(t.Context(), "static"); err != nil {
		t.Fatal(err)
	}

	e.Kill()
	testkit.Eventually(t, patience, "the loss is noticed", func() bool { return d.Lookup("static").Err != nil })
	lookups := times(20_000, 1_000_000)
	p99 := percentile(lookups, func() {
		if len(d.Lookup("static").Nodes) != 1 {
			t.Error("the node is gone")
		}
	})
	const bound = 50 * time.Microsecond
	t.Logf("measured: 99th percentile of %d lookups %s, bound %s", lookups, p99, bound)
	if p99 > bound {
		t.Errorf("a lookup took %s, the bound is %s", p99, bound)
	}
	if n := testing.AllocsPerRun(1000, func() { d.Lookup("static") }); n != 0 {
		t.Errorf("a lookup allocates %v times", n)
	}
	t.Logf("measured: 99th percentile of cache.GetService, which copies, %s", percentile(lookups, func() {
		if _, err := kept.GetService("static"); err != nil {
			t.Error(err)
		}
	}))
	within(t, "99th percentile of a call", percentile(times(200, 20_000), func() { fleet.MustSay(t, c, "static") }), time.Second)

	s := d.Lookup("static")
	age := s.Age(time.Now())
	t.Logf("measured: age %s, origin %s, since %s: %v", age, s.Origin, s.Since.Format(time.RFC3339), s.Err)
	if age <= 0 || s.Origin != discovery.Stale {
		t.Errorf("the age of the data cannot be seen: %s, %s", age, s.Origin)
	}
	stats := plain.(interface{ Stats() map[string]uint64 }).Stats()
	t.Logf("measured: what an exporter sees %v", stats)
	if stats["nodes"] != 1 || stats["services_not_live"] != 1 || stats["oldest_data_ms"] == 0 {
		t.Errorf("an exporter sees %v, want one node of old data", stats)
	}
}

// percentile returns the 99th of n runs of f.
func percentile(n int, f func()) time.Duration {
	all := make([]time.Duration, n)
	for i := range all {
		begin := time.Now()
		f()
		all[i] = time.Since(begin)
	}
	slices.Sort(all)
	return all[n*99/100]
}

// Row C3. Fault: a client starts while etcd is gone. Bound: with a snapshot on disk its
// calls succeed, the first within 2 s, and the data is marked as such; once etcd is
// back it is live.
func TestC3StartWithoutEtcd(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	fleet.Service(t, "kept", fleet.Registry(t, e.Addr()), nil)
	dir := t.TempDir()
	before := fleet.Registry(t, e.Addr(), registry.Snapshot(dir))
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(before, "kept", 1) })
	fleet.MustSay(t, fleet.Client(t, before), "kept")
	var file string
	testkit.Eventually(t, patience, "the snapshot is written", func() bool {
		files, err := filepath.Glob(filepath.Join(dir, "kept*"))
		if err != nil || len(files) != 1 {
			return false
		}
		file = files[0]
		return true
	})

	e.Kill()
	r := fleet.Registry(t, e.Addr(), registry.Snapshot(dir))
	c := fleet.Client(t, r)
	begin := time.Now()
	fleet.MustSay(t, c, "kept")
	within(t, "first call of the new client", time.Since(begin), 2*time.Second)
	for range 20 {
		fleet.MustSay(t, c, "kept")
	}
	d := discovery.New(feed.Of(r), discovery.Options{Disk: discovery.DiskOf(r)})
	t.Cleanup(d.Close)
	s, err := d.Wait(t.Context(), "kept")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("measured: origin %s, age %s", s.Origin, s.Age(time.Now()))
	if s.Origin != discovery.Disk || s.Age(time.Now()) <= 0 || s.Err == nil {
		t.Errorf("the data is not marked: %s, %v", s.Origin, s.Err)
	}

	// What was damaged is not believed, and stands in nobody's way.
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, text[:len(text)-10], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	late := fleet.Client(t, fleet.Registry(t, e.Addr(), registry.Snapshot(dir)))
	if err := fleet.Say(t.Context(), late, "kept", client.WithRequestTimeout(1500*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call by a damaged snapshot: %v", err)
	}
	answered := e.Restart(t)
	took := since(t, answered, "the data is live", func() bool { return d.Lookup("kept").Origin == discovery.Live })
	t.Logf("measured: live again after %s", took)
	testkit.Eventually(t, patience, "calls succeed", func() bool { return fleet.Say(t.Context(), late, "kept") == nil })
}

// Row C4. Fault: a client starts before the service that it calls. Bound: it starts, a call
// fails within 50 ms (the median of nine, each the first of its name) and says that
// no node was ever seen, and calls succeed within 1 s of the first registration.
func TestC4NoNodeYet(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	r := fleet.Registry(t, e.Addr())
	c := fleet.Client(t, r)
	if _, err := r.ListServices(); err != nil { // as a service that has registered itself
		t.Fatal(err)
	}
	var took []time.Duration
	for _, name := range []string{"late", "b", "c", "d", "e", "f", "g", "h", "i"} {
		begin := time.Now()
		err := fleet.Say(t.Context(), c, name)
		took = append(took, time.Since(begin))
		mustName(t, err, selector.ErrNotFound, "0 nodes (never seen)", "etcd ("+e.Addr()+")")
	}
	slices.Sort(took)
	t.Logf("measured: from %s to %s", took[0], took[len(took)-1])
	within(t, "median of the first call", took[len(took)/2], 50*time.Millisecond)

	fleet.Service(t, "late", fleet.Registry(t, e.Addr()), nil)
	var begin time.Time
	testkit.Eventually(t, patience, "the node is listed", func() bool {
		begin = time.Now()
		return fleet.Listed(r, "late", 1)
	})
	within(t, "until a call succeeded", since(t, begin, "a call succeeds", func() bool { return fleet.Say(t.Context(), c, "late") == nil }), time.Second)
}

// Row C6. Fault: the first call comes before the registry has answered. Bound: it waits for
// the answer, up to its own deadline and no longer.
func TestC6FirstCallWaits(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	fleet.Service(t, "first", fleet.Registry(t, e.Addr()), nil)
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(r, "first", 1) })
	e.Kill()

	c := fleet.Client(t, fleet.Registry(t, e.Addr()))
	const short = 500 * time.Millisecond
	begin := time.Now()
	err := fleet.Say(t.Context(), c, "first", client.WithRequestTimeout(short))
	took := time.Since(begin)
	within(t, "a call with a deadline of 500ms", took, short+500*time.Millisecond)
	if took < short || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it did not wait: %s, %v", took, err)
	}

	begin = time.Now()
	done := make(chan error, 1)
	go func() { done <- fleet.Say(context.Background(), c, "first", client.WithRequestTimeout(patience)) }()
	e.Restart(t)
	if err := <-done; err != nil {
		t.Errorf("the call that had time: %v", err)
	}
	t.Logf("measured: a call waited %s for the registry and succeeded", time.Since(begin).Round(time.Millisecond))
}
