package claim

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"runtime"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/namespace"
	"go.uber.org/zap"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/testkit"
)

// The claims of a process share a stream, goroutines and looks: each costs one
// write beside its lease, and leases are granted ahead.
func TestManyClaims(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		const n = 500
		b := newSite(t, testkit.OfKind(kind))
		count := func(method string) int {
			return b.etcd.Metric(t, fmt.Sprintf("grpc_server_started_total{grpc_method=%q,", method))
		}
		claim := func(i int) Spec {
			s := spec(fmt.Sprint(testKey, "-", i), "v")
			s.Shared, s.TTL, s.PauseKey = false, time.Minute, fmt.Sprint(testPause, "-", i)
			return s
		}
		b.held(claim(0))
		writes, reads, grants, before := count("Txn"), count("Range"), count("LeaseGrant"), runtime.NumGoroutine()
		for i := range n {
			b.held(claim(i + 1))
		}
		if got := count("Txn") - writes; got != n {
			t.Errorf("%d transactions for %d claims", got, n)
		}
		if got := count("Range") - reads; got != 0 {
			t.Errorf("%d reads for %d claims", got, n)
		}
		if got := count("LeaseGrant") - grants; got > n+sparesMax {
			t.Errorf("%d leases for %d claims", got, n)
		}
		// Tests beside this one start goroutines too, though not as many as one a claim.
		if grown := runtime.NumGoroutine() - before; grown > n/2 {
			t.Errorf("%d goroutines more than for one claim", grown)
		}
		// All are watched, over one stream.
		for _, i := range []int{1, n / 2, n} {
			b.delete(claim(i).Key)
			b.backWithin(time.Second, time.Now(), claim(i).Key, "v")
		}
		b.put(claim(n).PauseKey, "{}")
		testkit.Eventually(t, 5*time.Second, "paused", func() bool { return b.look(claim(n).Key) == nil })
		if got := count("Watch"); got != 1 {
			t.Errorf("%d watch streams, want 1", got)
		}

		// Over a new connection all are looked at together.
		looks := count("Txn")
		b.etcd.Kill()
		b.etcd.Restart(t)
		b.backWithin(5*time.Second, time.Now(), claim(1).Key, "v")
		testkit.Eventually(t, 10*time.Second, "watched again", func() bool {
			b.keeper.mu.Lock()
			defer b.keeper.mu.Unlock()
			for cl := range b.keeper.claims {
				if cl.keyWatch == nil {
					return false
				}
			}
			return true
		})
		b.delete(claim(2).Key)
		b.backWithin(2*time.Second, time.Now(), claim(2).Key, "v")
		if got := count("Txn") - looks; got > n/10 {
			t.Errorf("%d transactions after a restart, for %d claims", got, n)
		}
	})
}

// What is answered before the keeper learns of its first connection came over that one,
// and is not looked at again. What was answered before another connection is.
func TestLookOverANewConnectionOnly(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	cl := b.held(spec(testKey, "v"))
	k := b.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	soon := time.Now().Add(checkEvery / 2)
	for _, c := range []struct {
		before, now uint64
		looks       bool
	}{{0, 1, false}, {0, 2, true}, {1, 2, true}, {2, 2, false}} {
		k.generation, cl.m.check = c.before, soon.Add(checkEvery)
		k.linked(time.Now(), etcd.Link{Up: true, Generation: c.now})
		if got := cl.m.check.Before(soon); got != c.looks {
			t.Errorf("connection %d after %d: looks again: %v, want %v", c.now, c.before, got, c.looks)
		}
	}
}

// What others do to users ends the token of the stream. The claims go on hearing.
func TestClaimsWhenTheTokenEnds(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "svc", "pw")
	c := etcd.Open(etcd.Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "pw"})
	defer c.Close()
	b := siteOver(t, e, c)
	b.held(spec(testKey, "v"))
	if _, err := b.eyes.AuthDisable(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.eyes.AuthEnable(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.held(spec(testKey+"2", "v"))
	for _, key := range []string{testKey, testKey + "2"} {
		b.delete(key)
		b.backWithin(3*time.Second, time.Now(), key, "v")
	}
}

// Whoever may not read pauses is refused once and then claims without a look at them,
// at once.
func TestClaimMayNotReadPauses(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "svc", "pw")
	e.AddUser(t, "narrow", "pw", testkit.Right{Prefix: "/micro/registry/", Read: true, Write: true})
	c := etcd.Open(etcd.Config{Addrs: []string{e.Addr()}, Username: "narrow", Password: "pw"})
	defer c.Close()
	b := siteOver(t, e, c)
	const txns = `grpc_server_started_total{grpc_method="Txn",`
	before := e.Metric(t, txns)
	cl := b.held(spec(testKey, "v"))
	if got := e.Metric(t, txns) - before; got != 2 {
		t.Errorf("%d transactions, want 2", got)
	}
	b.delete(testKey)
	b.backWithin(time.Second, time.Now(), testKey, "v")
	if err := cl.Release(testContext(t, 20*time.Second)); err != nil {
		t.Error(err)
	}
}

// Whoever may not read pauses hears of them once the right is given, and no longer
// when it is taken.
func TestClaimMayReadPausesLater(t *testing.T) {
	m := newTestMachine(0)
	m.onLeaseGranted(7)
	denied := opResult{refused: true, denied: true, err: errDeaf}
	step(m, epoch, denied)
	step(m, epoch, denied)
	if op := step(m, epoch, opResult{ok: true, rev: 5}); op.pauseKey != "" || !m.pauseDenied {
		t.Fatalf("writes %+v, blind: %v", op, m.pauseDenied)
	}
	m.onWatching()
	now := epoch
	for range 2 { // still without the right
		now = now.Add(checkEvery + checkEvery/10)
		if op := step(m, now, denied); op.kind != opLook || op.pauseKey != "p" || !op.unbatched {
			t.Fatalf("looks %+v, want it to try the pause key", op)
		}
		now = now.Add(time.Second)
		if op := step(m, now, opResult{rev: 6, key: &mirror.Entry{Lease: 7, Value: []byte("v"), ModRevision: 5}}); op.kind != opLook || op.pauseKey != "" {
			t.Fatalf("then looks %+v, want it without the pause key", op)
		}
	}
	now = now.Add(checkEvery + checkEvery/10)
	step(m, now, opResult{rev: 7, key: &mirror.Entry{Lease: 7, Value: []byte("v"), ModRevision: 5}, pause: &mirror.Entry{}})
	if op, _ := m.next(now); op.kind != opDelete || m.pauseDenied {
		t.Errorf("with the right: sends %+v, blind: %v; want the delete", op, m.pauseDenied)
	}
}

// A look that finds what the watch does not tell within a second shows that the
// watch is deaf.
func TestClaimDeafWatch(t *testing.T) {
	gone := opResult{rev: 20}
	late := epoch.Add(2 * checkEvery)
	for _, tt := range []struct {
		name string
		do   func(m *machine)
		deaf bool
	}{
		{"nothing new", func(m *machine) {
			step(m, late, opResult{rev: 20, key: &mirror.Entry{Lease: 7, Value: []byte("v"), ModRevision: 10}})
		}, false},
		{"not told", func(m *machine) { step(m, late, gone) }, true},
		{"told after the look", func(m *machine) {
			step(m, late, gone)
			m.onKey(late, sighting{rev: 15})
		}, false},
		{"told during the look", func(m *machine) {
			op, _ := m.next(late)
			m.onSent(op)
			m.onKey(late, sighting{rev: 15})
			m.onAnswer(late, op, gone)
		}, false},
		{"not watched", func(m *machine) {
			m.onWatchLost(late, false)
			step(m, late, gone)
		}, false},
		{"a pause not told", func(m *machine) {
			step(m, late, opResult{rev: 20, key: &mirror.Entry{Lease: 7, Value: []byte("v"), ModRevision: 10}, pause: &mirror.Entry{ModRevision: 15}})
		}, true},
	} {
		m := heldMachine()
		tt.do(m)
		if m.deaf(late.Add(deafAfter - 1)) {
			t.Errorf("%s: deaf at once", tt.name)
		}
		if got := m.deaf(late.Add(deafAfter)); got != tt.deaf {
			t.Errorf("%s: deaf %v, want %v", tt.name, got, tt.deaf)
		}
		if m.deaf(late.Add(time.Hour)) {
			t.Errorf("%s: deaf twice", tt.name)
		}
	}
}

// A deaf watch is replaced, and what it lost made good.
func TestClaimReplacesADeafWatch(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	cl := b.held(spec(testKey, "v"))
	b.keeper.mu.Lock()
	// The watch tells nobody any more.
	deaf := cl.keyWatch
	cl.keyWatch = b.keeper.watcher.Watch("/elsewhere", 1, keyObserver{claim: cl})
	b.keeper.mu.Unlock()
	b.delete(testKey)
	b.keeper.mu.Lock()
	b.keeper.apply(cl, func(m *machine) { m.check = time.Now() })
	b.keeper.mu.Unlock()
	b.backWithin(2*time.Second, time.Now(), testKey, "v")
	testkit.Eventually(t, 5*time.Second, "the watch is replaced", func() bool {
		b.keeper.mu.Lock()
		defer b.keeper.mu.Unlock()
		return cl.keyWatch != nil && cl.keyWatch != deaf && cl.m.watching
	})
	b.delete(testKey)
	b.backWithin(3*time.Second, time.Now(), testKey, "v")
}

// etcd's own proxy numbers watches by itself, and joins those of many clients.
func TestClaimsThroughEtcdsProxy(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t, testkit.OfKind(testkit.Debian))
	binary, err := exec.LookPath("etcd")
	if err != nil {
		t.Fatalf("etcd runs, but cannot be found: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	proxy := exec.Command(binary, "grpc-proxy", "start", "--endpoints="+e.Addr(), "--listen-addr="+addr, "--advertise-client-url="+addr)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = proxy.Process.Kill()
		_ = proxy.Wait() // it was killed
	})
	b := siteOver(t, e, open(t, addr))
	var all []Spec
	for i := range 20 {
		s := spec(fmt.Sprint(testKey, "-", i), "v")
		s.Shared, s.PauseKey = i%2 == 0, fmt.Sprint(testPause, "-", i)
		b.held(s)
		all = append(all, s)
	}
	for _, s := range all {
		b.delete(s.Key)
		b.backWithin(3*time.Second, time.Now(), s.Key, "v")
	}
	b.put(all[7].PauseKey, "{}")
	testkit.Eventually(t, 5*time.Second, "paused", func() bool { return b.look(all[7].Key) == nil })
	b.delete(all[7].PauseKey)
	testkit.Eventually(t, 5*time.Second, "resumed", func() bool { return b.look(all[7].Key) != nil })
}

// The claims of a process look at the same few moments, each again within 33 s.
func TestClaimsLookTogether(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	moments := map[time.Time]int{}
	for range 1000 {
		m := newMachine(Spec{Key: "k"}, epoch, random.Float64)
		m.phase = time.Second
		now := epoch.Add(time.Duration(random.Float64() * float64(checkEvery)))
		at := m.nextCheck(now)
		if d := at.Sub(now); d < checkEvery-checkGrid || d > checkEvery+2*checkGrid {
			t.Fatalf("looks again after %v", d)
		}
		moments[at]++
	}
	if n := len(moments); n > 13 {
		t.Errorf("%d moments for a thousand claims, want one every 3 s", n)
	}
}

// A program's own client may put a prefix before every key, which we do not see.
func TestClaimsOverANamespacedClient(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	own, err := clientv3.New(clientv3.Config{Endpoints: []string{e.Addr()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	own.KV = namespace.NewKV(own.KV, "/theirs")
	own.Watcher = namespace.NewWatcher(own.Watcher, "/theirs")
	own.Lease = namespace.NewLease(own.Lease, "/theirs")
	c := etcd.Open(etcd.Config{Client: own})
	defer c.Close()
	b := siteOver(t, e, c)
	cl := b.held(spec(testKey, "v"))
	b.delete("/theirs" + testKey)
	b.backWithin(time.Second, time.Now(), "/theirs"+testKey, "v")
	b.put("/theirs"+testPause, "{}")
	b.state(cl, time.Second, Paused)
	b.delete("/theirs" + testPause)
	b.state(cl, time.Second, Held)
	e.Kill()
	e.Restart(t)
	b.delete("/theirs" + testKey)
	b.backWithin(3*time.Second, time.Now(), "/theirs"+testKey, "v")
}
