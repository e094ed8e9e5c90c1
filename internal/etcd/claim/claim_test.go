package claim

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/testkit"
)

const (
	testKey   = "/micro/registry/greeter/greeter-1"
	testPause = "/micro/rollcall/pause/greeter/greeter-1"
	testTTL   = 2 * time.Second
)

// site is a real etcd, a Conn that claims in it, and a client that looks.
type site struct {
	testing.TB
	etcd   *testkit.Etcd
	conn   *etcd.Conn
	keeper *Keeper
	eyes   *clientv3.Client
}

func newSite(t testing.TB, opts ...testkit.EtcdOption) *site {
	e := testkit.StartEtcd(t, opts...)
	return siteOver(t, e, openTest(t, e))
}

func siteOver(t testing.TB, e *testkit.Etcd, c *etcd.Conn) *site {
	return &site{TB: t, etcd: e, conn: c, keeper: NewKeeper(c), eyes: e.Client(t)}
}

func openTest(t testing.TB, e *testkit.Etcd) *etcd.Conn { return open(t, e.Addr()) }

func open(t testing.TB, addr string) *etcd.Conn {
	c := etcd.Open(etcd.Config{Addrs: []string{addr}})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

func testContext(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func spec(key, value string) Spec {
	return Spec{Key: key, PauseKey: testPause, PauseText: func(v []byte) string { return "paused: " + string(v) }, Value: []byte(value), TTL: testTTL, Shared: true}
}

// held claims and waits until the claim is held.
func (b *site) held(s Spec) *Claim {
	b.Helper()
	cl := b.keeper.Claim(s)
	if err := cl.Wait(testContext(b, 20*time.Second)); err != nil {
		b.Fatalf("claim: %v", err)
	}
	return cl
}

// look returns what etcd has under key, nil for nothing.
func (b *site) look(key string) *mirror.Entry {
	b.Helper()
	resp, err := b.eyes.Get(testContext(b, 20*time.Second), key)
	if err != nil {
		b.Fatalf("get %q: %v", key, err)
	}
	if len(resp.Kvs) == 0 {
		return nil
	}
	e := mirror.EntryOf(resp.Kvs[0])
	return &e
}

func (b *site) delete(key string, opts ...clientv3.OpOption) {
	b.Helper()
	if _, err := b.eyes.Delete(testContext(b, 20*time.Second), key, opts...); err != nil {
		b.Fatalf("delete %q: %v", key, err)
	}
}

func (b *site) put(key, value string) {
	b.Helper()
	if _, err := b.eyes.Put(testContext(b, 20*time.Second), key, value); err != nil {
		b.Fatalf("put %q: %v", key, err)
	}
}

// freeze freezes etcd and returns once it is seen to answer no more.
func (b *site) freeze() {
	b.Helper()
	b.etcd.Freeze(b)
	testkit.Eventually(b, 5*time.Second, "etcd is frozen", func() bool {
		_, err := b.eyes.Get(testContext(b, 50*time.Millisecond), "/")
		return err != nil
	})
}

// leases returns how many leases etcd has.
func (b *site) leases() int {
	b.Helper()
	resp, err := b.eyes.Leases(testContext(b, 20*time.Second))
	if err != nil {
		b.Fatalf("list leases: %v", err)
	}
	return len(resp.Leases)
}

// busy is what a machine that has other work to do may add to the times below. What is
// promised is measured by the rows of docs/FAULTS.md.
const busy = 5 * time.Second

// backWithin waits until key has the value again and logs how long it took.
func (b *site) backWithin(d time.Duration, since time.Time, key, value string) {
	b.Helper()
	testkit.Eventually(b, time.Until(since.Add(d+busy)), "the key is back", func() bool {
		e := b.look(key)
		return e != nil && string(e.Value) == value
	})
	b.Logf("%s: back after %v", b.Name(), time.Since(since).Round(time.Millisecond))
}

func (b *site) state(cl *Claim, within time.Duration, want State) Status {
	b.Helper()
	testkit.Eventually(b, within+busy, "the claim is "+want.String(), func() bool { return cl.Status().State == want })
	return cl.Status()
}

// journal writes down what an observer is told.
type journal struct {
	mu    sync.Mutex
	lines []Status
}

func (j *journal) add(s Status) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, s)
}

func (j *journal) states() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := ""
	for _, s := range j.lines {
		text += fmt.Sprintf("%v ", s.State)
	}
	return text
}

func TestClaimHeldAndReleased(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		b := newSite(t, testkit.OfKind(kind))
		begun := time.Now()
		var j journal
		s := spec(testKey, "one")
		s.Told = j.add
		cl := b.keeper.Claim(s)
		if err := cl.Wait(testContext(t, 20*time.Second)); err != nil {
			t.Fatal(err)
		}
		t.Logf("held after %v", time.Since(begun).Round(time.Millisecond))
		e := b.look(testKey)
		if e == nil || string(e.Value) != "one" || e.Lease == 0 {
			t.Fatalf("in etcd: %+v", e)
		}
		if alive, err := Alive(testContext(t, 20*time.Second), b.conn, []int64{e.Lease, 1, e.Lease, 0}); err != nil || fmt.Sprint(alive) != "[true false true false]" {
			t.Fatalf("lease alive: %v, %v", alive, err)
		}

		cl.Update([]byte("two"))
		if err := cl.Wait(testContext(t, 20*time.Second)); err != nil {
			t.Fatal(err)
		}
		if after := b.look(testKey); string(after.Value) != "two" || after.Lease != e.Lease {
			t.Fatalf("after the update: %+v", after)
		}
		// It is renewed: it outlives its lease.
		held := time.NewTimer(testTTL + time.Second)
		defer held.Stop()
		<-held.C
		if after := b.look(testKey); after == nil || after.Lease != e.Lease {
			t.Fatalf("after the time to live: %+v", after)
		}

		for range 2 {
			if err := cl.Release(testContext(t, 20*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		if e := b.look(testKey); e != nil {
			t.Fatalf("after the release: %+v", e)
		}
		testkit.Eventually(t, busy, "observed: released", func() bool { return j.states() == "absent held released " })
		testkit.Eventually(t, 2*testTTL+busy, "the lease expires", func() bool { return b.leases() == 0 })
	})
}

func TestClaimDeleted(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	var keys []string
	for i := range 5 {
		key := fmt.Sprintf("%s%d", testKey, i)
		b.held(spec(key, key))
		keys = append(keys, key)
	}
	b.delete(keys[0])
	b.backWithin(time.Second, time.Now(), keys[0], keys[0])
	b.delete("/micro/registry/", clientv3.WithPrefix())
	since := time.Now()
	for _, key := range keys[1:] {
		b.backWithin(time.Second, since, key, key)
	}
	b.backWithin(2*time.Second, since, keys[0], keys[0])
}

// Somebody who deletes in a loop must not cause a storm of writes.
func TestClaimDeletedInALoop(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	b.held(spec(testKey, "v"))
	const span = 4 * time.Second
	writes := 0
	for resp := range b.eyes.Watch(testContext(t, span), testKey, clientv3.WithCreatedNotify()) {
		if resp.Created {
			b.delete(testKey)
		}
		for _, e := range resp.Events {
			if e.Type == clientv3.EventTypePut {
				writes++
				b.delete(testKey)
			}
		}
	}
	t.Logf("%d writes in %v", writes, span)
	if writes < 2 || writes > 9 {
		t.Errorf("want 2 to 9")
	}
}

func TestClaimEtcdKilled(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	cl := b.held(spec(testKey, "v"))
	b.etcd.Kill()
	b.state(cl, testTTL+time.Second, Absent)
	t.Logf("absent: %+v", cl.Status())
	since := b.etcd.Restart(t)
	b.backWithin(2*time.Second, since, testKey, "v")
	b.state(cl, 2*time.Second, Held)
}

func TestClaimEtcdWiped(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	cl := b.held(spec(testKey, "v"))
	for i := range 20 {
		b.put("/other", fmt.Sprint(i)) // the new etcd's revision is below
	}
	b.etcd.Wipe()
	since := b.etcd.Restart(t)
	b.backWithin(2*time.Second, since, testKey, "v")
	b.state(cl, 2*time.Second, Held)
	b.delete(testKey)
	b.backWithin(2*time.Second, time.Now(), testKey, "v")
}

func TestClaimEtcdFrozen(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	cl := b.held(spec(testKey, "v"))
	b.freeze()
	frozen := time.NewTimer(3 * testTTL)
	defer frozen.Stop()
	<-frozen.C
	if s := cl.Status(); s.State != Absent {
		t.Errorf("frozen: %+v", s)
	}
	b.etcd.Thaw(t)
	since := b.etcd.WaitReady(t)
	testkit.Eventually(t, busy, "the claim is held", func() bool { return cl.Status().State == Held })
	b.backWithin(2*time.Second, since, testKey, "v")
	// It stays.
	e := b.look(testKey)
	if alive, err := Alive(testContext(t, 20*time.Second), b.conn, []int64{e.Lease}); err != nil || !alive[0] {
		t.Errorf("lease alive: %v, %v", alive, err)
	}
}

func TestClaimLeaseRevoked(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		b := newSite(t, testkit.OfKind(kind))
		cl := b.held(spec(testKey, "v"))
		lease := b.look(testKey).Lease
		if _, err := b.eyes.Revoke(testContext(t, 20*time.Second), clientv3.LeaseID(lease)); err != nil {
			t.Fatal(err)
		}
		// Another lease is asked for at a moment drawn from recoverySpread.
		b.backWithin(recoverySpread+time.Second, time.Now(), testKey, "v")
		b.state(cl, time.Second, Held)
	})
}

func TestClaimTakenOver(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	own := spec(testKey, "first")
	own.Shared = false
	first := b.held(own)
	second := siteOver(t, b.etcd, openTest(t, b.etcd))
	own.Value = []byte("second")
	newer := second.held(own)
	s := b.state(first, time.Second, Displaced)
	t.Logf("displaced: %s", s.Reason)
	if err := first.Wait(testContext(t, 10*time.Second)); err != nil {
		t.Errorf("wait while displaced: %v", err)
	}
	if err := first.Release(testContext(t, 20*time.Second)); err != nil {
		t.Fatal(err)
	}
	if e := b.look(testKey); e == nil || string(e.Value) != "second" {
		t.Fatalf("the other's key: %+v", e)
	}
	third := b.held(Spec{Key: testKey, Value: []byte("third"), TTL: testTTL})
	b.state(newer, time.Second, Displaced)
	if err := third.Release(testContext(t, 20*time.Second)); err != nil {
		t.Fatal(err)
	}
	b.state(newer, time.Second, Held)
	if e := b.look(testKey); e == nil || string(e.Value) != "second" {
		t.Fatalf("after the other left: %+v", e)
	}
}

func TestClaimPaused(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	cl := b.held(spec(testKey, "v"))
	b.put(testPause, `{"by":"alice","at":"10:00"}`)
	s := b.state(cl, time.Second, Paused)
	if s.Reason != `paused: {"by":"alice","at":"10:00"}` {
		t.Errorf("reason %q", s.Reason)
	}
	if e := b.look(testKey); e != nil {
		t.Errorf("paused, and in etcd: %+v", e)
	}
	cl.Update([]byte("w"))
	b.delete(testPause)
	b.state(cl, time.Second, Held)
	if e := b.look(testKey); e == nil || string(e.Value) != "w" {
		t.Errorf("resumed: %+v", e)
	}

	b.put(testPause, "")
	b.state(cl, time.Second, Paused)
	if err := cl.Release(testContext(t, 20*time.Second)); err != nil {
		t.Fatal(err)
	}
	again := b.held(spec(testKey, "x"))
	if s := again.Status(); s.State != Paused {
		t.Errorf("claimed while paused: %+v", s)
	}
	if e := b.look(testKey); e != nil {
		t.Errorf("claimed while paused, and in etcd: %+v", e)
	}
}

func TestClaimsShareALease(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	var claims []*Claim
	for i := range 50 {
		claims = append(claims, b.keeper.Claim(spec(fmt.Sprintf("%s%d", testKey, i), "v")))
	}
	for _, cl := range claims {
		if err := cl.Wait(testContext(t, 20*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.leases(); n != 1 {
		t.Errorf("50 claims: %d leases", n)
	}
	for range 2 {
		s := spec(testKey, "own")
		s.Shared = false
		s.Key += fmt.Sprint("own", b.leases())
		b.held(s)
	}
	if n := b.leases(); n != 3 {
		t.Errorf("with two of their own: %d leases", n)
	}
	b.etcd.Wipe()
	since := b.etcd.Restart(t)
	testkit.Eventually(t, time.Until(since.Add(2*time.Second+busy)), "all are back", func() bool {
		resp, err := b.eyes.Get(testContext(t, 20*time.Second), "/micro/registry/", clientv3.WithPrefix(), clientv3.WithCountOnly())
		return err == nil && resp.Count == 52
	})
	t.Logf("52 keys back after %v", time.Since(since).Round(time.Millisecond))
}

func TestReleaseFrozen(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	cl := b.held(spec(testKey, "v"))
	b.freeze()
	begun := time.Now()
	err := cl.Release(testContext(t, 500*time.Millisecond))
	if took := time.Since(begun); err == nil || took > 3*time.Second {
		t.Fatalf("released after %v: %v", took, err)
	}
	t.Log(err)
	b.etcd.Thaw(t)
	testkit.Eventually(t, 10*time.Second, "the key is deleted all the same", func() bool { return b.look(testKey) == nil })

	cl = b.held(spec(testKey, "v"))
	b.freeze()
	begun = time.Now()
	if err := b.conn.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("closed after %v", took)
	}
	if err := cl.Wait(testContext(t, 10*time.Second)); err == nil {
		t.Error("wait on a closed connection: no error")
	}
	b.etcd.Thaw(t)
}

// Without etcd there is nothing to take back.
func TestClaimWithoutEtcd(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.Kill()
	b := siteOver(t, e, openTest(t, e))
	cl := b.keeper.Claim(spec(testKey, "v"))
	err := cl.Wait(testContext(t, 300*time.Millisecond))
	if err == nil {
		t.Fatal("held without etcd")
	}
	t.Log(err)
	// It does not wait for etcd: that would end with an error.
	if err := cl.Release(testContext(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
	b.keeper.Claim(spec(testKey, "w"))
	since := e.Restart(t)
	b.backWithin(2*time.Second, since, testKey, "w")
}

func TestClaimMisconfigured(t *testing.T) {
	t.Parallel()
	c := etcd.Open(etcd.Config{Addrs: []string{"http://["}})
	defer c.Close()
	cl := NewKeeper(c).Claim(spec(testKey, "v"))
	if err := cl.Wait(testContext(t, 10*time.Second)); err == nil {
		t.Error("claim at a malformed address: no error")
	}
	if err := cl.Release(testContext(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
}
