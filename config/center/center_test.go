package center

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	backend "github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/registry/memory"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// patience is how long the tests wait for what has to come.
const patience = 30 * time.Second

// open returns a Center of a namespace of its own, with the client to write past it.
func open(t testing.TB, addr, namespace string, opts ...Option) *Center {
	t.Helper()
	r := backend.NewRegistry(registry.Addrs(addr), registry.Timeout(patience), backend.Namespace(namespace))
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := New(r, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func release(t *testing.T, c *Center, edits ...Edit) Release {
	t.Helper()
	r, err := c.Release(t.Context(), Draft{Who: "ada", Comment: "because", Edits: edits})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// past writes a key past the Center, or deletes it if there is no value.
func past(t *testing.T, client *clientv3.Client, key string, value ...string) {
	t.Helper()
	op := clientv3.OpDelete(key)
	if value != nil {
		op = clientv3.OpPut(key, value[0])
	}
	if _, err := client.Do(t.Context(), op); err != nil {
		t.Fatal(err)
	}
}

func tree(t *testing.T, c *Center) Tree {
	t.Helper()
	got, err := c.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func wantTree(t *testing.T, c *Center, want Tree) {
	t.Helper()
	if got := tree(t, c); !reflect.DeepEqual(got, want) {
		t.Errorf("the configuration is %v, want %v", got, want)
	}
}

func lines(t *testing.T, c *Center, p Page) (all []string) {
	t.Helper()
	releases, err := c.History(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range releases {
		line := fmt.Sprintf("%d %s", r.Number, r.Who)
		if r.Foreign {
			line = "past"
		}
		for _, change := range r.Changes {
			line += fmt.Sprintf(" %s:%s>%s", change.Key, shown(change.Before), shown(change.After))
		}
		all = append(all, line)
	}
	return all
}

func wantHistory(t *testing.T, c *Center, p Page, want ...string) {
	t.Helper()
	if got := lines(t, c, p); !reflect.DeepEqual(got, want) {
		t.Errorf("the history is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOperating(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)

	t.Run("values and records stand where they should", func(t *testing.T) {
		c := open(t, e.Addr(), "where")
		r := release(t, c, Put("db/port", "3306"), Put("greeting", `"hello"`))
		if r.Number != 1 || r.Who != "ada" || r.Comment != "because" || len(r.Changes) != 2 || time.Since(r.When) > time.Hour {
			t.Errorf("got %+v", r)
		}
		answer, err := client.Get(t.Context(), "/where/", clientv3.WithPrefix())
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, kv := range answer.Kvs {
			keys = append(keys, string(kv.Key))
			if kv.ModRevision != r.Revision {
				t.Errorf("%s was written at %d, and the release at %d", kv.Key, kv.ModRevision, r.Revision)
			}
		}
		if want := []string{"/where/micro/config/db/port", "/where/micro/config/greeting", (layout.Layout{Namespace: "where"}).Release(1)}; !reflect.DeepEqual(keys, want) {
			t.Errorf("keys %q, want %q", keys, want)
		}
		one, err := c.Get(t.Context(), "db/port")
		if err != nil || one != (Entry{Key: "db/port", Value: "3306", Revision: r.Revision}) {
			t.Errorf("%v: got %+v", err, one)
		}
		if _, err := c.Get(t.Context(), "db"); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		below, err := c.List(t.Context(), "db")
		if err != nil || len(below) != 1 || below[0] != one {
			t.Errorf("%v: got %+v", err, below)
		}
	})

	t.Run("what is planned is not done", func(t *testing.T) {
		c := open(t, e.Addr(), "plan")
		r, err := c.Plan(t.Context(), Draft{Edits: []Edit{Put("a", "1"), Delete("b")}})
		if err != nil || len(r.Changes) != 1 || r.Revision != 0 {
			t.Errorf("%v: got %+v", err, r)
		}
		wantTree(t, c, Tree{})
		if _, err := c.Release(t.Context(), Draft{Edits: []Edit{Delete("b")}}); !errors.Is(err, ErrNoChange) {
			t.Error(err)
		}
	})

	t.Run("bad keys and values are refused", func(t *testing.T) {
		c := open(t, e.Addr(), "bad")
		release(t, c, Put("leaf", "1"), Put("branch/leaf", "1"))
		for key, why := range map[string]string{
			"": "empty", "/a": "begins with", "a/": "ends with", "a//b": "//", "a/../b": `".."`, ".": `"."`, " ": "space", "a/b /c": "space", "a\nb": "control", "a\u202eb": "control", "\xff": "UTF-8",
			"leaf/below": `the key "leaf" has a value`, "branch": `such as "branch/leaf"`,
		} {
			_, err := c.Release(t.Context(), Draft{Edits: []Edit{Put("good", "1"), Put(key, "1")}})
			if err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%q: %v", key, err)
			}
		}
		for value, why := range map[string]string{
			`{"b":{"x":1,"y":2,"x":3}}`: `key "a": field "b/x": line 1, column 19: the field "x" stands twice in one object: take one of the two out`, `[{"x":1,"x":1}]`: `field "0/x"`,
			"": "empty", "hello": "line 1, column 1", "{\n\"a\":}": "line 2, column 5", `{"a":`: "cut short", "\xef\xbb\xbf1": "byte order mark", "1 2": "follows",
			strings.Repeat("[", 3000) + strings.Repeat("]", 3000): "levels",
		} {
			_, err := c.Release(t.Context(), Draft{Edits: []Edit{Put("good", "1"), Put("a", value)}})
			if err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%.20q: %v", value, err)
			}
		}
		if _, err := c.Release(t.Context(), Draft{Edits: []Edit{Put("a", "1"), Put("a", "2")}}); err == nil || !strings.Contains(err.Error(), "twice") {
			t.Error(err)
		}
		wantTree(t, c, Tree{"leaf": "1", "branch/leaf": "1"})
		release(t, c, Delete("leaf"), Put("leaf/below", "2"))
		release(t, c, Delete("branch/leaf"), Put("branch", "3"))
		wantTree(t, c, Tree{"leaf/below": "2", "branch": "3"})
	})

	t.Run("too much for etcd is refused before", func(t *testing.T) {
		c := open(t, e.Addr(), "much")
		var edits []Edit
		for i := range etcd.MaxTxnOps - 2 {
			edits = append(edits, Put(fmt.Sprintf("k%03d", i), "1"))
		}
		release(t, c, edits...)
		edits = append(edits, Put("one", "2"), Put("more", "2"))
		for i := range edits {
			edits[i] = Put(edits[i].Key, "2")
		}
		if _, err := c.Release(t.Context(), Draft{Edits: edits}); err == nil || !strings.Contains(err.Error(), "etcd takes 128") {
			t.Error(err)
		}
		if got := tree(t, c); len(got) != etcd.MaxTxnOps-2 || got["k000"] != "1" {
			t.Errorf("%d keys", len(got))
		}
	})

	t.Run("two editors", func(t *testing.T) {
		c, other := open(t, e.Addr(), "two"), open(t, e.Addr(), "two")
		release(t, c, Put("a", "1"), Put("b", "1"))
		seen, err := c.Get(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		release(t, other, Put("a", "2"))
		edit := Put("a", "3")
		edit.Seen = &seen
		_, err = c.Release(t.Context(), Draft{Edits: []Edit{edit, Put("b", "3")}})
		var conflict *ConflictError
		if !errors.As(err, &conflict) || conflict.Seen != seen || *conflict.Ours != "3" || *conflict.Theirs != "2" || conflict.By == nil || conflict.By.Number != 2 {
			t.Fatalf("%v: %+v", err, conflict)
		}
		if text := err.Error(); !strings.Contains(text, `key "a" was changed meanwhile, by ada in release 2: there is 2 now, and yours is 3`) {
			t.Error(text)
		}
		wantTree(t, c, Tree{"a": "2", "b": "1"})
		gone := Delete("b")
		gone.Seen = &Entry{Key: "b"}
		if _, err := c.Release(t.Context(), Draft{Edits: []Edit{gone}}); !errors.As(err, &conflict) || conflict.Ours != nil {
			t.Error(err)
		}
	})

	t.Run("many editors at once", func(t *testing.T) {
		const editors, each = 4, 8
		done := make(chan error, editors)
		for i := range editors {
			c := open(t, e.Addr(), "many")
			go func() {
				for n := range each {
					if _, err := c.Release(t.Context(), Draft{Edits: []Edit{Put(fmt.Sprintf("e%d", i), fmt.Sprint(n))}}); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range editors {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		c := open(t, e.Addr(), "many")
		if got := lines(t, c, Page{}); len(got) != editors*each || !strings.HasPrefix(got[0], fmt.Sprint(editors*each)) {
			t.Errorf("%d releases: %s", len(got), got)
		}
		wantTree(t, c, Tree{"e0": "7", "e1": "7", "e2": "7", "e3": "7"})
	})

	t.Run("writes past the center", func(t *testing.T) {
		c := open(t, e.Addr(), "past")
		release(t, c, Put("a", "1"), Put("b", "1"))
		past(t, client, "/past/micro/config/a", "hello")
		past(t, client, "/past/micro/config/b")
		past(t, client, "/past/micro/config/other", "1")
		release(t, c, Put("a", "2"))
		wantHistory(t, c, Page{}, "2 ada a:hello>2", "past b:1>no value", "past a:1>hello", "1 ada a:no value>1 b:no value>1")
		release(t, c, Put("b", "3"))
		past(t, client, "/past/micro/config/b", "\xff")
		want := []string{"past b:3>\xff", "3 ada b:no value>3", "past b:1>no value", "2 ada a:hello>2", "past a:1>hello", "1 ada a:no value>1 b:no value>1"}
		wantHistory(t, c, Page{}, want...)
		release(t, c, Put("b", "4"))
		all, err := c.History(t.Context(), Page{Limit: 2})
		if err != nil || len(all) != 2 || *all[0].Changes[0].Before != "\xff" {
			t.Fatalf("%v: %+v", err, all)
		}
		wantHistory(t, c, Page{Before: all[1].Revision, Limit: 2}, want[1:3]...)
	})

	t.Run("rollback", func(t *testing.T) {
		c := open(t, e.Addr(), "back")
		release(t, c, Put("a", "1"), Put("b", "1"))
		release(t, c, Put("a", "2"), Delete("b"), Put("c", "2"))
		past(t, client, "/back/micro/config/a", "bad")
		past(t, client, "/back/micro/config/foreign", "1")
		d, err := c.Rollback(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		d.Who = "bob"
		r, err := c.Release(t.Context(), d)
		if err != nil || r.Restores != 1 || r.Number != 3 || r.Comment != "roll back to release 1" {
			t.Errorf("%v: %+v", err, r)
		}
		wantTree(t, c, Tree{"a": "1", "b": "1", "foreign": "1"})
		if d, err = c.Rollback(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		release(t, c, Put("a", "5"))
		var conflict *ConflictError
		if _, err := c.Release(t.Context(), d); !errors.As(err, &conflict) {
			t.Error(err)
		}
		if _, err := c.Rollback(t.Context(), 9); !errors.Is(err, ErrNoRelease) {
			t.Error(err)
		}
		before, err := c.TreeAtRevision(t.Context(), r.Revision-1)
		if err != nil || before["a"] != "bad" {
			t.Errorf("%v: %v", err, before)
		}
	})

	t.Run("odd keys of others can be read, deleted and brought back", func(t *testing.T) {
		c := open(t, e.Addr(), "odd")
		for _, key := range []string{"", "a//b", "\xff\x01", "/lead", "tail/", "..", strings.Repeat("x/", 1500)} {
			past(t, client, "/odd/micro/config/"+key, "1")
			if one, err := c.Get(t.Context(), key); err != nil || one.Value != "1" {
				t.Errorf("%v: %+v", err, one)
			}
			if _, err := c.Release(t.Context(), Draft{Edits: []Edit{Put(key, "2")}}); err == nil && len(key) < 100 {
				t.Errorf("%q was set", key)
			}
			r := release(t, c, Delete(key))
			wantTree(t, c, Tree{})
			past(t, client, "/odd/micro/config/"+key, "1")
			d, err := c.Rollback(t.Context(), r.Number)
			if err != nil || len(d.Edits) != 1 || d.Edits[0].Key != key {
				t.Errorf("%v: %+v", err, d)
			}
			if _, err := c.Release(t.Context(), d); err != nil {
				t.Error(err)
			}
			wantTree(t, c, Tree{})
		}
	})

	t.Run("rollback of a part", func(t *testing.T) {
		c := open(t, e.Addr(), "part")
		release(t, c, Put("a/x", "1"), Put("b", "1"), Put("ax", "1"))
		release(t, c, Put("a/x", "2"), Put("b", "2"), Put("ax", "2"))
		d, err := c.RollbackUnder(t.Context(), 1, "a")
		if err != nil || d.Comment != "roll back a to release 1" {
			t.Errorf("%v: %+v", err, d)
		}
		if _, err := c.Release(t.Context(), d); err != nil {
			t.Error(err)
		}
		wantTree(t, c, Tree{"a/x": "1", "b": "2", "ax": "2"})
		wantHistory(t, c, Page{Under: "a", Limit: 2}, "3  a/x:2>1", "2 ada a/x:1>2")
		wantHistory(t, c, Page{Under: "b"}, "2 ada b:1>2", "1 ada b:no value>1")
	})

	t.Run("records of no use", func(t *testing.T) {
		c := open(t, e.Addr(), "junk")
		release(t, c, Put("a", "1"))
		past(t, client, "/junk/micro/rollcall/config/release/x", "1")
		past(t, client, layout.Layout{Namespace: "junk"}.Release(2), "no record")
		if _, err := c.History(t.Context(), Page{}); err == nil || !strings.Contains(err.Error(), layout.Layout{Namespace: "junk"}.Release(2)) {
			t.Error(err)
		}
		if r := release(t, c, Put("a", "2")); r.Number != 3 {
			t.Errorf("got %+v", r)
		}
	})

	t.Run("old records go", func(t *testing.T) {
		c := open(t, e.Addr(), "old", Keep(3))
		for i := range 6 {
			release(t, c, Put("a", fmt.Sprint(i)))
		}
		wantHistory(t, c, Page{}, "6 ada a:4>5", "5 ada a:3>4", "4 ada a:2>3")
		if _, err := c.TreeAt(t.Context(), 3); !errors.Is(err, ErrNoRelease) {
			t.Error(err)
		}
	})

	t.Run("records that are too old go, but for the newest", func(t *testing.T) {
		l := layout.Layout{Namespace: "aged"}
		c := open(t, e.Addr(), "aged", KeepFor(time.Hour))
		kept := func(first, last int64) {
			t.Helper()
			all, err := c.History(t.Context(), Page{})
			if err != nil || len(all) != int(last-first+1) || all[0].Number != last || all[len(all)-1].Number != first {
				t.Errorf("%v: there are %d releases, want %d to %d", err, len(all), first, last)
			}
		}
		age := func(number int64, by time.Duration) {
			t.Helper()
			text, err := layout.ReleaseRecord{Who: "ada", When: time.Now().Add(-by)}.Encode()
			if err != nil {
				t.Fatal(err)
			}
			past(t, client, l.Release(number), string(text))
		}
		for i := range 14 {
			release(t, c, Put("a", fmt.Sprint(i)))
		}
		kept(1, 14)
		age(1, 2*time.Hour)
		age(2, 30*time.Minute)
		release(t, c, Put("a", "15"))
		kept(2, 15)
		// To a clock that is years ahead all are too old, as after years without a release.
		for number := range int64(15) {
			age(number+1, 20_000*time.Hour)
		}
		release(t, c, Put("a", "16"))
		kept(7, 16)
		// One from the future, whose clock was ahead, stays until its time, or Keep says so.
		age(7, -20_000*time.Hour)
		release(t, c, Put("a", "17"))
		kept(7, 17)
		c = open(t, e.Addr(), "aged", KeepFor(time.Hour), Keep(3))
		release(t, c, Put("a", "18"))
		kept(16, 18)
	})

	t.Run("watch", func(t *testing.T) {
		c := open(t, e.Addr(), "watch")
		release(t, c, Put("w/a", "1"))
		ctx, stop := context.WithCancel(t.Context())
		live, told, ended := make(chan error, 10), make(chan []Change, 10), make(chan error, 1)
		go func() {
			ended <- c.Watch(ctx, "w", func(_ int64, changes []Change) { told <- changes }, func(err error) { live <- err })
		}()
		if err := <-live; err != nil {
			t.Error(err)
		}
		release(t, c, Put("other", "1"))
		release(t, c, Put("w/a", "2"), Put("w/b", "1"))
		release(t, c, Delete("w/b"))
		if got := <-told; len(got) != 2 || *got[0].Before != "1" || *got[0].After != "2" || got[1].Before != nil {
			t.Errorf("got %+v", got)
		}
		if got := <-told; len(got) != 1 || got[0].After != nil || *got[0].Before != "1" {
			t.Errorf("got %+v", got)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Records are keys: etcd may forget what was before them.
func TestCompactionTakesNoHistory(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, e.Addr(), "")
	first := release(t, c, Put("a", "1"), Put("b", "1"))
	release(t, c, Put("a", "2"))
	e.Compact(t)
	wantHistory(t, c, Page{}, "2 ada a:1>2", "1 ada a:no value>1 b:no value>1")
	newest := release(t, c, Put("a", "3")).Revision
	if _, err := c.TreeAtRevision(t.Context(), first.Revision); !errors.Is(err, etcd.ErrCompacted) ||
		!strings.HasSuffix(err.Error(), fmt.Sprintf("as of revision %d: etcd has compacted that revision: name one from %d to %d, or a release, whose values stay", first.Revision, newest-1, newest)) {
		t.Error(err)
	}
	if _, err := c.TreeAtRevision(t.Context(), 999999); !errors.Is(err, etcd.ErrFuture) ||
		!strings.HasSuffix(err.Error(), fmt.Sprintf("as of revision 999999: etcd has not come to that revision: name one from %d to %d, or a release, whose values stay", newest-1, newest)) {
		t.Error(err)
	}
	if got, err := c.TreeAt(t.Context(), 1); err != nil || !reflect.DeepEqual(got, Tree{"a": "1", "b": "1"}) {
		t.Errorf("%v: %v", err, got)
	}
}

func TestOnlyInEtcd(t *testing.T) {
	if _, err := New(memory.NewRegistry()); err == nil || !strings.Contains(err.Error(), "memory is not in etcd") {
		t.Error(err)
	}
	if _, err := New(backend.NewRegistry(), Keep(0)); err == nil {
		t.Error("a history of nothing")
	}
}
