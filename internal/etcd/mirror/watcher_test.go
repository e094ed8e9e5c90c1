package mirror

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
)

// keyLog is a KeyObserver that keeps what it is told.
type keyLog struct {
	mu   sync.Mutex
	told []string
	lost error
}

func (l *keyLog) Changed(_ *Watch, _ int64, entry *Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if entry == nil {
		l.told = append(l.told, "-")
	} else {
		l.told = append(l.told, string(entry.Value))
	}
}

func (l *keyLog) Lost(_ *Watch, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = err
}

func (l *keyLog) story() (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprint(l.told), l.lost
}

func (l *keyLog) await(t *testing.T, want string) {
	t.Helper()
	testkit.Eventually(t, soon, "it is told "+want, func() bool { got, _ := l.story(); return got == want })
}

func (l *keyLog) awaitLost(t *testing.T) error {
	t.Helper()
	testkit.Eventually(t, soon, "the watch is lost", func() bool { _, err := l.story(); return err != nil })
	_, err := l.story()
	return err
}

// now returns the revision of etcd, as seen over c, and the next.
func now(t *testing.T, c *etcd.Conn) int64 {
	t.Helper()
	client, err := c.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(t.Context(), "/k/", clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, soon, "the link is up", func() bool { return c.Link().Up })
	return resp.Header.Revision + 1
}

// However many keys are watched, there is one stream and a handful of goroutines.
func TestWatcherManyKeys(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		const n = 1000
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		client := e.Client(t)
		c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
		from, before := now(t, c), runtime.NumGoroutine()
		w := NewWatcher(c)
		logs := make([]keyLog, n)
		var first *Watch
		for i := range logs {
			one := w.Watch(fmt.Sprint("/k/", i), from, &logs[i])
			if i == 0 {
				first = one
			}
		}
		put(t, client, "/k/0", "a")
		put(t, client, "/k/999", "b")
		put(t, client, "/k/99", "c")
		remove(t, client, "/k/99")
		logs[0].await(t, "[a]")
		logs[999].await(t, "[b]")
		logs[99].await(t, "[c -]")
		// What was in the past when the watch began is told as well.
		var late keyLog
		w.Watch("/k/99", from, &late)
		late.await(t, "[c -]")
		first.Stop()
		put(t, client, "/k/0", "d")
		put(t, client, "/k/1", "e")
		logs[1].await(t, "[e]")
		if got, err := logs[0].story(); got != "[a]" || err != nil {
			t.Errorf("after Stop: told %s, %v", got, err)
		}
		// Tests beside this one start goroutines too, though not as many as one a watch.
		if grown := runtime.NumGoroutine() - before; grown > n/2 {
			t.Errorf("%d goroutines more than before, for %d watches", grown, n)
		}
		if n := e.Metric(t, `grpc_server_started_total{grpc_method="Watch",`); n != 1 {
			t.Errorf("%d streams, want 1", n)
		}
	})
}

func TestWatcherLosesHistory(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		client := e.Client(t)
		c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
		from := now(t, c)
		for i := range 5 {
			put(t, client, "/k/a", fmt.Sprint(i))
		}
		next := now(t, c)
		if _, err := client.Compact(t.Context(), next-1); err != nil {
			t.Fatal(err)
		}
		w := NewWatcher(c)
		var compacted, whole, begunAgain keyLog
		w.Watch("/k/a", from, &compacted)
		w.Watch("/k/b", next, &whole)
		if err := compacted.awaitLost(t); !errors.Is(err, rpctypes.ErrCompacted) {
			t.Errorf("from a compacted revision: %v", err)
		}
		put(t, client, "/k/b", "1")
		whole.await(t, "[1]")

		e.Kill()
		e.Restart(t)
		if err := whole.awaitLost(t); err == nil {
			t.Error("a restart is not told")
		}
		w.Watch("/k/b", now(t, c), &begunAgain)
		put(t, client, "/k/b", "2")
		begunAgain.await(t, "[2]")
	})
}

// A watch that begins in the history of a connection that is over is lost.
func TestWatcherOfAnotherConnection(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
	from := now(t, c)
	w := NewWatcher(c)
	e.Kill()
	testkit.Eventually(t, soon, "the link is down", func() bool { return !c.Link().Up })
	var l keyLog
	w.Watch("/k/a", from, &l)
	e.Restart(t)
	l.awaitLost(t)
}

// An etcd that goes silent under a watch is noticed, though nobody asks it anything.
func TestWatcherOfAFrozenEtcd(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}, Silence: 500 * time.Millisecond, Patience: 300 * time.Millisecond})
	w := NewWatcher(c)
	var l keyLog
	w.Watch("/k/a", now(t, c), &l)
	put(t, e.Client(t), "/k/a", "1")
	l.await(t, "[1]")
	e.Freeze(t)
	l.awaitLost(t)
	e.Thaw(t)
}

// However much there is to ask, an etcd that reads nothing is noticed.
func TestWatcherAsksAFrozenEtcd(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}, Silence: 500 * time.Millisecond, Patience: 300 * time.Millisecond})
	w := NewWatcher(c)
	from := now(t, c)
	var l keyLog
	w.Watch("/k/a", from, &l)
	put(t, e.Client(t), "/k/a", "1")
	l.await(t, "[1]")
	e.Freeze(t)
	for i := range 5000 {
		w.Watch(fmt.Sprint("/micro/registry/some.service/", i), from, &keyLog{})
	}
	l.awaitLost(t)
	e.Thaw(t)
}

func TestWatcherWithUsers(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		e.EnableAuth(t, "svc", "pw")
		root := e.Client(t)
		c := open(t, etcd.Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "pw"})
		client, err := c.Client(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rev := func() int64 {
			resp, err := client.Get(t.Context(), "/micro/a")
			if err != nil {
				t.Fatal(err)
			}
			return resp.Header.Revision + 1
		}
		from := rev()
		testkit.Eventually(t, soon, "the link is up", func() bool { return c.Link().Up })
		w := NewWatcher(c)
		var allowed, denied, again keyLog
		w.Watch("/elsewhere/a", from, &denied)
		w.Watch("/micro/a", from, &allowed)
		if err := denied.awaitLost(t); !errors.Is(err, rpctypes.ErrPermissionDenied) {
			t.Errorf("what may not be read: %v", err)
		}
		put(t, root, "/micro/a", "1")
		allowed.await(t, "[1]")

		// The token of the stream ends; a new watch needs a stream with a new one.
		if _, err := root.AuthDisable(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := root.AuthEnable(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.Watch("/micro/b", rev(), &again)
		put(t, root, "/micro/b", "2")
		again.await(t, "[2]")
		allowed.awaitLost(t)
	})
}

// etcd 3.3 and etcd's proxy number watches by themselves: they are asked for one
// at a time, and known by the number that they get.
func TestWatcherNumberedByEtcd(t *testing.T) {
	w := NewWatcher(etcd.Open(etcd.Config{}))
	w.running = true
	logs := make([]keyLog, 3)
	for i := range logs {
		w.Watch(fmt.Sprint("/k/", i), 5, &logs[i])
	}
	w.askAt = time.Time{}
	s := &keyStream{ids: map[int64]*Watch{}, last: time.Now()}
	for _, watch := range w.waiting {
		watch.generation = s.generation
	}
	header := &pb.ResponseHeader{Revision: 9}
	for i := range logs {
		asked, stale, err := w.requests(s)
		if len(asked) != 1 || len(stale) != 0 || err != nil {
			t.Fatalf("asks for %v, %v, %v; want one watch", asked, stale, err)
		}
		if key := string(asked[0].GetCreateRequest().Key); key != fmt.Sprint("/k/", i) {
			t.Fatalf("asks for %q", key)
		}
		if more, _, _ := w.requests(s); len(more) != 0 {
			t.Fatalf("asks for %v before the answer", more)
		}
		one, err := w.take(s, &pb.WatchResponse{Header: header, Created: true, WatchId: int64(i)})
		if err != nil || one == nil || one.key != fmt.Sprint("/k/", i) {
			t.Fatalf("confirmed is %+v, %v", one, err)
		}
	}
	for i := range logs {
		event := &mvccpb.Event{Type: mvccpb.PUT, Kv: &mvccpb.KeyValue{Key: []byte("x")}}
		one, err := w.take(s, &pb.WatchResponse{Header: header, WatchId: int64(i), Events: []*mvccpb.Event{event}})
		if err != nil || one == nil || one.key != fmt.Sprint("/k/", i) {
			t.Errorf("event %d is taken for one of %+v, %v", i, one, err)
		}
	}
}

// A watch that is not confirmed in time ends the stream.
func TestWatcherUnconfirmed(t *testing.T) {
	w := NewWatcher(etcd.Open(etcd.Config{}))
	w.running = true
	var l keyLog
	one := w.Watch("/k/a", 5, &l)
	s := &keyStream{ids: map[int64]*Watch{}, last: time.Now()}
	one.generation, w.askAt = s.generation, time.Time{}
	if asked, _, err := w.requests(s); len(asked) != 1 || err != nil {
		t.Fatalf("asks for %v, %v", asked, err)
	}
	one.asked, s.last = time.Now().Add(-time.Minute), time.Now()
	if _, _, err := w.requests(s); err != nil {
		t.Errorf("given up while others are confirmed: %v", err)
	}
	s.last = one.asked
	if _, _, err := w.requests(s); !errors.Is(err, errUnconfirmed) {
		t.Errorf("got %v, want that it was not confirmed", err)
	}
}

// What comes at once of a key whose owner wrote much may be more than grpc takes
// unless it is told to.
func TestWatcherTakesMuchAtOnce(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
	from := now(t, c)
	for i := range 6 {
		put(t, client, "/k/a", strings.Repeat(fmt.Sprint(i), 1<<20))
	}
	w := NewWatcher(c)
	var l keyLog
	w.Watch("/k/a", from, &l)
	testkit.Eventually(t, soon, "all is told", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.lost != nil {
			t.Fatalf("lost: %v", l.lost)
		}
		return len(l.told) == 6
	})
}

// A probe that waits for its answer keeps nobody from hearing that the stream ended.
func TestWatcherLosesStreamDuringProbe(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}, Silence: 100 * time.Millisecond, Patience: time.Minute, Timeout: time.Minute})
	w := NewWatcher(c)
	var l keyLog
	w.Watch("/k/a", now(t, c), &l)
	put(t, e.Client(t), "/k/a", "1")
	l.await(t, "[1]")
	e.Freeze(t)
	silent := time.NewTimer(500 * time.Millisecond)
	defer silent.Stop()
	<-silent.C
	e.Kill()
	l.awaitLost(t)
}

// A probe that etcd refuses is an answer: it is not sent again before the next
// silence. Of a client of the program's own we see nothing else arrive.
func TestWatcherProbesThatAreRefused(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "svc", "pw")
	own, err := clientv3.New(clientv3.Config{Endpoints: []string{e.Addr()}, Username: "svc", Password: "pw", DialTimeout: soon, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	const silence = 100 * time.Millisecond
	c := open(t, etcd.Config{Client: own, Silence: silence})
	if _, err := c.Client(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, soon, "the link is up", func() bool { return c.Link().Up })
	resp, err := own.Get(t.Context(), "/micro/a")
	if err != nil {
		t.Fatal(err)
	}
	w := NewWatcher(c)
	var l keyLog
	one := w.Watch("/micro/a", resp.Header.Revision+1, &l)
	put(t, e.Client(t), "/micro/a", "1")
	l.await(t, "[1]")
	one.Stop() // no key is left that we may read
	before := e.Metric(t, `grpc_server_started_total{grpc_method="Range",`)
	while := time.NewTimer(10 * silence)
	defer while.Stop()
	<-while.C
	if n := e.Metric(t, `grpc_server_started_total{grpc_method="Range",`) - before; n == 0 || n > 50 {
		t.Errorf("%d probes in %v, want one for each silence of %v", n, 10*silence, silence)
	}
}

// A watch that was stopped before it was asked for does not keep the next one from
// being asked for.
func TestWatcherWakesAfterStop(t *testing.T) {
	c := open(t, etcd.Config{Addrs: []string{"127.0.0.1:1"}})
	w := NewWatcher(c)
	w.running = true // but nobody takes what waits
	for range 2 {
		one := w.Watch("/k/a", 5, &keyLog{})
		select {
		case <-w.work:
		default:
			t.Fatal("nobody is woken for the only watch that is left")
		}
		one.Stop()
	}
}
