package mirror

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
)

// After a wipe a resumed watch would be silent, then start from the middle.
func TestMirrorOfAWipedEtcd(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		client := e.Client(t)
		for i := range 20 {
			put(t, client, "/k/a", fmt.Sprint(i))
		}
		put(t, client, "/k/b", "1")
		c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
		r, _ := following(t, c, "/k/")
		r.await(t, soon, "/k/a=19 /k/b=1", "/k/a", "/k/b")
		r.awaitLive(t)

		e.Wipe()
		e.Restart(t)
		put(t, client, "/k/b", "new")
		put(t, client, "/k/c", "2")
		r.await(t, 4*time.Second, "/k/b=new /k/c=2", "/k/a", "/k/b", "/k/c")
		r.awaitLive(t)
		if resets := countResets(r); resets < 2 {
			t.Errorf("%d resets, want one for the first listing and one for the wipe", resets)
		}
		// Revisions up to and past those of the lost history.
		for i := range 40 {
			put(t, client, "/k/c", fmt.Sprint(i))
		}
		r.await(t, 4*time.Second, "/k/b=new /k/c=39", "/k/a", "/k/b", "/k/c")
	})
}

func countResets(r *recorder) (n int) {
	for _, c := range r.seen() {
		if c.Reset {
			n++
		}
	}
	return n
}

func TestMirrorIsNotFooledByAnEtcdWipedEmpty(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	put(t, client, "/k/a", "1")
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
	r, _ := following(t, c, "/k/")
	r.await(t, soon, "/k/a=1", "/k/a")
	r.awaitLive(t)
	e.Kill()
	testkit.Eventually(t, soon, "the mirror notices", func() bool { return !r.status().Live })
	if got := r.values("/k/a"); got != "/k/a=1" {
		t.Errorf("with etcd away the view became %q", got)
	}
	e.Wipe()
	e.Restart(t)
	r.await(t, 4*time.Second, "", "/k/a")
}

func TestMirrorAfterCompactionWhileCutOff(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		client := e.Client(t)
		put(t, client, "/k/a", "1")
		put(t, client, "/k/b", "1")
		proxy := testkit.StartProxy(t, e.Addr())
		c := open(t, etcd.Config{Addrs: []string{proxy.Addr()}})
		r, _ := following(t, c, "/k/")
		r.await(t, soon, "/k/a=1 /k/b=1", "/k/a", "/k/b")
		r.awaitLive(t)

		proxy.Cut()
		remove(t, client, "/k/a")
		put(t, client, "/k/c", "1")
		put(t, client, "/k/c", "2")
		e.Compact(t)
		proxy.Restore(t)
		r.await(t, 4*time.Second, "/k/b=1 /k/c=2", "/k/a", "/k/b", "/k/c")
		r.awaitLive(t)
		last := r.seen()[len(r.seen())-1]
		if !last.Reset || len(last.Events) != 2 || !last.Events[0].Deleted || last.Events[0].Entry.Key != "/k/a" {
			t.Errorf("the net difference arrived as %+v", last)
		}
	})
}

// Compacted under the feet of a watch that stands.
func TestMirrorOutlivesCompaction(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
	r, _ := following(t, c, "/k/")
	r.awaitLive(t)
	for i := range 50 {
		put(t, client, "/k/a", fmt.Sprint(i))
		if i%10 == 0 {
			e.Compact(t)
		}
	}
	r.await(t, soon, "/k/a=49", "/k/a")
}

func TestOneRevisionIsOneChange(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		client := e.Client(t)
		c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
		r, _ := following(t, c, "/k/")
		r.awaitLive(t)

		lease, err := client.Grant(t.Context(), 60)
		if err != nil {
			t.Fatal(err)
		}
		var ops []clientv3.Op
		for i := range 100 {
			ops = append(ops, clientv3.OpPut(fmt.Sprintf("/k/%03d", i), "v", clientv3.WithLease(lease.ID)))
		}
		if _, err := client.Txn(t.Context()).Then(ops...).Commit(); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, soon, "100 puts arrive", func() bool { return len(r.seen()) == 2 })
		if _, err := client.Revoke(t.Context(), lease.ID); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, soon, "the revocation arrives", func() bool { return r.values() == "" })
		changes := r.seen()
		if n := len(changes[1].Events); n != 100 || changes[1].Reset {
			t.Errorf("the transaction arrived with %d events, reset %v", n, changes[1].Reset)
		}
		deleted := 0
		for _, change := range changes[2:] {
			deleted += len(change.Events)
			for _, event := range change.Events {
				if !event.Deleted || len(event.Entry.Key) != len("/k/000") {
					t.Fatalf("event %+v is not the delete of a key of the lease", event)
				}
			}
		}
		if deleted != 100 {
			t.Errorf("%d deletes arrived, want 100", deleted)
		}
	})
}

func TestMirrorMissesNothingWhileStarting(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	wrote := make(chan error, 1)
	go func() {
		for i := range 500 {
			if _, err := client.Put(t.Context(), fmt.Sprintf("/k/%d", i%7), fmt.Sprint(i)); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- nil
	}()
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
	var all []*recorder
	for range 5 {
		r, _ := following(t, c, "/k/")
		all = append(all, r)
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	want, keys := "", []string{"/k/0", "/k/1", "/k/2", "/k/3", "/k/4", "/k/5", "/k/6"}
	resp, err := client.Get(t.Context(), "/k/", clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	for i, kv := range resp.Kvs {
		if i > 0 {
			want += " "
		}
		want += string(kv.Key) + "=" + string(kv.Value)
	}
	for _, r := range all {
		r.await(t, soon, want, keys...)
		// Nothing but the first listing and single changes: no event was lost.
		last := r.seen()[0].Revision
		for _, change := range r.seen()[1:] {
			if change.Reset || change.Revision != last+1 {
				t.Fatalf("revision %d (reset %v) after %d", change.Revision, change.Reset, last)
			}
			last = change.Revision
		}
	}
}

func TestMirrorOfAFrozenEtcd(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	put(t, client, "/k/a", "1")
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}, Silence: 500 * time.Millisecond, Patience: 300 * time.Millisecond})
	r, _ := following(t, c, "/k/")
	r.awaitLive(t)
	generation := c.Link().Generation

	e.Freeze(t)
	testkit.Eventually(t, soon, "the watchdog bites", func() bool { return !r.status().Live && !c.Link().Up })
	if got := r.values("/k/a"); got != "/k/a=1" {
		t.Errorf("with etcd frozen the view became %q", got)
	}
	e.Thaw(t)
	e.WaitReady(t)
	put(t, client, "/k/a", "2")
	r.await(t, 4*time.Second, "/k/a=2", "/k/a")
	r.awaitLive(t)
	if now := c.Link().Generation; now <= generation {
		t.Errorf("generation %d did not grow from %d", now, generation)
	}
}

func TestMirrorMovesToAnotherAddressWhenOneGoesSilent(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	put(t, client, "/k/a", "1")
	one, two := testkit.StartProxy(t, e.Addr()), testkit.StartProxy(t, e.Addr())
	proxies := map[string]*testkit.Proxy{one.Addr(): one, two.Addr(): two}
	c := open(t, etcd.Config{Addrs: []string{one.Addr(), two.Addr()}, Silence: 500 * time.Millisecond, Patience: 300 * time.Millisecond})
	r, _ := following(t, c, "/k/")
	r.awaitLive(t)
	first := c.Link().Addr
	proxies[first].Blackhole()
	put(t, client, "/k/a", "2")
	r.await(t, soon, "/k/a=2", "/k/a")
	if now := c.Link().Addr; now == first || proxies[now] == nil {
		t.Errorf("connected to %q, after %q went silent", now, first)
	}
}

func TestMirrorsShareOneStreamAndOneConnection(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	proxy := testkit.StartProxy(t, e.Addr())
	// The proxy under two names: round_robin would connect to both.
	_, port, _ := net.SplitHostPort(proxy.Addr())
	c := open(t, etcd.Config{Addrs: []string{proxy.Addr(), "localhost:" + port}})
	var all []*recorder
	for range 20 {
		r, _ := following(t, c, "/k/")
		all = append(all, r)
	}
	for _, r := range all {
		r.awaitLive(t)
	}
	put(t, client, "/k/a", "1")
	for _, r := range all {
		r.await(t, soon, "/k/a=1", "/k/a")
	}
	if n := proxy.Conns(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	if n := e.Metric(t, `grpc_server_started_total{grpc_method="Watch",`); n != 1 {
		t.Errorf("%d watch streams, want 1", n)
	}
}

func TestMirrorSingleKey(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	put(t, client, "/k/a", "1")
	put(t, client, "/k/ab", "1")
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
	r := newRecorder(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Follow(ctx, c, Key("/k/a"), r) }()
	r.awaitLive(t)
	put(t, client, "/k/ab", "2")
	put(t, client, "/k/a", "2")
	r.await(t, soon, "/k/a=2", "/k/a")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("mirror ended: %v", err)
	}
}

func TestMirrorEndsWithItsConn(t *testing.T) {
	t.Parallel()
	c := etcd.Open(etcd.Config{Addrs: []string{"127.0.0.1:1"}})
	done := make(chan error, 1)
	go func() { done <- Follow(context.Background(), c, Prefix("/k/"), newRecorder(t)) }()
	testkit.Eventually(t, soon, "the etcd.Conn tries to connect", func() bool { return c.Link().Err != nil })
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, etcd.ErrClosed) {
		t.Errorf("mirror ended with %v, want etcd.ErrClosed", err)
	}
	if err := Follow(t.Context(), c, Prefix("/k/"), newRecorder(t)); !errors.Is(err, etcd.ErrClosed) {
		t.Errorf("mirror of a closed etcd.Conn: %v, want etcd.ErrClosed", err)
	}
	bad := etcd.Open(etcd.Config{Addrs: []string{""}})
	if err := Follow(t.Context(), bad, Prefix("/k/"), newRecorder(t)); err == nil {
		t.Error("mirror with a malformed address returned nil")
	}
}

func TestMirrorWithTheProgramsOwnClient(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	put(t, client, "/k/a", "1")
	c := open(t, etcd.Config{Client: client})
	r, _ := following(t, c, "/k/")
	r.await(t, soon, "/k/a=1", "/k/a")
	r.awaitLive(t)
	e.Wipe()
	e.Restart(t)
	put(t, client, "/k/b", "1")
	r.await(t, 4*time.Second, "/k/b=1", "/k/a", "/k/b")
	testkit.Eventually(t, soon, "the link tells of the restart", func() bool { return c.Link().Generation >= 2 })
}

// A watch that lost an event is caught by the listing that follows.
func TestResyncFindsWhatTheWatchLost(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	put(t, client, "/k/a", "1")
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
	tune := tuningFor(c)
	tune.resync, tune.grace = 300*time.Millisecond, 50*time.Millisecond
	forget := &forgetful{recorder: newRecorder(t)}
	m := &mirror{Observer: forget, conn: c, tune: tune, keys: Prefix("/k/"), reply: make(chan reply)}
	if _, err := c.Client(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	m.life, forget.mirror = ctx, m
	done := make(chan struct{})
	go func() { defer close(done); m.run() }()
	forget.awaitLive(t)
	testkit.Eventually(t, soon, "what was lost comes back", func() bool {
		changes := forget.seen()
		return len(changes) > 1 && changes[len(changes)-1].Reset && len(changes[len(changes)-1].Events) == 1
	})
	cancel()
	<-done
}

// forgetful makes its mirror forget a key at the first listing.
type forgetful struct {
	*recorder
	mirror *mirror
}

func (f *forgetful) Change(c Change) {
	f.recorder.Change(c)
	if c.First {
		f.mirror.machine.view.apply(delEvent("/k/a", 0))
		f.mu.Lock()
		delete(f.keys, "/k/a")
		f.mu.Unlock()
	}
}

func TestMirrorSurvivesManyCuts(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	proxy := testkit.StartProxy(t, e.Addr())
	c := open(t, etcd.Config{Addrs: []string{proxy.Addr()}})
	r, _ := following(t, c, "/k/")
	r.awaitLive(t)
	for i := range 5 {
		proxy.Cut()
		put(t, client, "/k/a", fmt.Sprint(i))
		proxy.Restore(t)
		r.await(t, 4*time.Second, fmt.Sprintf("/k/a=%d", i), "/k/a")
	}
	r.awaitLive(t)
}
