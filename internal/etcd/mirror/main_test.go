package mirror

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.MainWaiting(m) }

// soon bounds what has to happen at once. It is long because the machine may be
// busy; nothing waits for it to pass.
const soon = 10 * time.Second

// open opens a Conn that is closed at the end of the test.
func open(t *testing.T, cfg etcd.Config) *etcd.Conn {
	t.Helper()
	c := etcd.Open(cfg)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// get reads a key over c.
func get(t *testing.T, c *etcd.Conn) error {
	t.Helper()
	return c.Do(t.Context(), "read a key", func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.Get(ctx, "/micro/a")
		return err
	})
}

// put writes key through a client of its own.
func put(t *testing.T, client *clientv3.Client, key, value string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if _, err := client.Put(ctx, key, value); err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
}

func remove(t *testing.T, client *clientv3.Client, key string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if _, err := client.Delete(ctx, key); err != nil {
		t.Fatalf("delete %q: %v", key, err)
	}
}

// recorder is an Observer that keeps everything and checks that the story told is
// consistent.
type recorder struct {
	t        *testing.T
	mu       sync.Mutex
	keys     map[string]Entry
	changes  []Change
	statuses []Status
}

func newRecorder(t *testing.T) *recorder { return &recorder{t: t, keys: map[string]Entry{}} }

func (r *recorder) Change(c Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.First != (len(r.changes) == 0) || c.First && !c.Reset {
		r.t.Errorf("change %d: First %v, Reset %v", len(r.changes), c.First, c.Reset)
	}
	if !c.Reset && len(r.changes) > 0 && c.Revision < r.changes[len(r.changes)-1].Revision {
		r.t.Errorf("revision %d after %d without a reset", c.Revision, r.changes[len(r.changes)-1].Revision)
	}
	for _, e := range c.Events {
		old, known := r.keys[e.Entry.Key]
		switch {
		case c.Reset && e.Deleted && !known:
			r.t.Errorf("event %+v of a listing: there was no such key", e)
		case c.Reset && known && !e.Deleted && old.sum() == e.Entry.sum():
			r.t.Errorf("event %+v of a listing changes nothing", e)
		case !e.Deleted && known && !c.Reset && e.Entry.ModRevision <= old.ModRevision:
			r.t.Errorf("event %+v: went back from %+v", e, old)
		}
		if e.Deleted {
			delete(r.keys, e.Entry.Key)
		} else {
			r.keys[e.Entry.Key] = e.Entry
		}
	}
	r.changes = append(r.changes, c)
}

func (r *recorder) Status(s Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.Live != (s.Err == nil) {
		r.t.Errorf("status %+v: live with an error or neither", s)
	}
	r.statuses = append(r.statuses, s)
}

// values returns the keys and values now, in the form "a=1 b=2", in the order of keys
// given, without those that are not there.
func (r *recorder) values(keys ...string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for _, k := range keys {
		if e, ok := r.keys[k]; ok {
			found = append(found, k+"="+string(e.Value))
		}
	}
	if len(found) != len(r.keys) {
		found = append(found, "and others")
	}
	return strings.Join(found, " ")
}

func (r *recorder) seen() []Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Change(nil), r.changes...)
}

func (r *recorder) status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.statuses) == 0 {
		return Status{}
	}
	return r.statuses[len(r.statuses)-1]
}

// following runs a mirror until the end of the test, or until stop.
func following(t *testing.T, c *etcd.Conn, prefix string) (r *recorder, stop func()) {
	t.Helper()
	return followingWith(t, c, prefix, tuningFor(c))
}

func followingWith(t *testing.T, c *etcd.Conn, prefix string, tune tuning) (r *recorder, stop func()) {
	t.Helper()
	r = newRecorder(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- follow(ctx, c, Prefix(prefix), r, tune) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("mirror ended: %v", err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}

func (r *recorder) awaitLive(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, soon, "the mirror is live", func() bool { return r.status().Live })
}

func (r *recorder) await(t *testing.T, within time.Duration, want string, keys ...string) {
	t.Helper()
	testkit.Eventually(t, within, "the mirror shows "+want, func() bool { return r.values(keys...) == want })
}
