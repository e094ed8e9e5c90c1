package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// Row B8: records that cannot be read lie among those of a service. The others are
// served at once by lookup, watch and views, and what was skipped is counted.
func TestB8PoisonedRecord(t *testing.T) {
	t.Parallel()
	const bound = 2 * time.Second
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	r := openRegistry(t, server.Addr())
	w, view := watch(t, r, nil), startCaching(t, r, "s")
	poison := map[string]string{
		"garbage": "garbage", "empty": "", "null": "null", "list": "[]", "truncated": `{"name":"s","nodes":[{"id":"trunc`,
		"foreign": `{"name":"other","nodes":[{"id":"foreign"}]}`, "large": strings.Repeat("x", 1<<20), "deep/er": "{",
	}
	for id, value := range poison {
		commit(t, client, clientv3.OpPut("/micro/registry/s/"+id, value))
	}
	begin := time.Now()
	commit(t, client, putOf(t, "s", "good", "1"))
	within(t, "the good node is seen", since(t, begin, "the good node is seen by watcher and view", func() bool {
		return w.view() == "s/good=1" && view.view() == "s/good=1"
	}), bound)
	if got := read(t, r, "s"); got != "s/good=1" {
		t.Errorf("the lookup returned %q", got)
	}
	fresh := startCaching(t, openRegistry(t, server.Addr()), "s")
	testkit.Eventually(t, patience, "a view that starts now has it", func() bool { return fresh.view() == "s/good=1" })
	// A record that turns bad is gone, and back when it is good again.
	commit(t, client, clientv3.OpPut("/micro/registry/s/good", "garbage"))
	testkit.Eventually(t, patience, "the node is gone", func() bool { return w.view() == "" && view.view() == "" })
	commit(t, client, putOf(t, "s", "good", "2"))
	testkit.Eventually(t, patience, "the node is back", func() bool { return w.view() == "s/good=2" && view.view() == "s/good=2" })
	skipped := r.(interface{ Skipped() int64 }).Skipped()
	t.Logf("measured: %d records skipped, at least %d were there", skipped, len(poison))
	if skipped < int64(len(poison)) {
		t.Errorf("%d records were skipped, want at least %d", skipped, len(poison))
	}
}

// Row B9: services whose names begin alike. Lookup, watch and view of each have its
// own nodes and no others, and neighbours of the prefix are nobody's.
func TestB9NamesThatBeginAlike(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	r := openRegistry(t, server.Addr())
	names := []string{"a", "ab", "a.b", "a-b", "a-", "a b", "a0", "A"}
	var watches []*watching
	var views []*caching
	for _, name := range names {
		watches = append(watches, watch(t, r, nil, registry.WatchService(name)))
		views = append(views, startCaching(t, r, name))
	}
	for _, key := range []string{"/micro/registry-other/a/x", "/micro/registry/a", "/micro/registrya/x", "/micro/registry0"} {
		value := `{"name":"a","version":"1","nodes":[{"id":"x","address":"127.0.0.1:1"}]}`
		commit(t, client, clientv3.OpPut(key, value))
	}
	for _, name := range names {
		for i := range 3 {
			commit(t, client, putOf(t, name, fmt.Sprintf("%s-%d", name, i), "1"))
		}
	}
	for i, name := range names {
		want := fmt.Sprintf("%[1]s/%[1]s-0=1 %[1]s/%[1]s-1=1 %[1]s/%[1]s-2=1", name)
		if got := read(t, r, name); got != want {
			t.Errorf("lookup of %q: %q, want %q", name, got, want)
		}
		testkit.Eventually(t, patience, "watch and view of "+name, func() bool {
			return watches[i].view() == want && views[i].view() == want
		})
		if n := watches[i].count(); n != 3 {
			t.Errorf("the watcher of %q was told %d events, want 3", name, n)
		}
	}
	t.Logf("measured: %d services, each with exactly its own 3 nodes", len(names))
}

// Row B10: a/b and a-b share the prefix of their keys, which are those of v2. Each
// has its own nodes and no others, and where even the node's id is written alike the
// last one has the key.
func TestB10SlashAndDash(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	r := openRegistry(t, server.Addr())
	slash, dash := watch(t, r, nil, registry.WatchService("a/b")), watch(t, r, nil, registry.WatchService("a-b"))
	views := map[string]*caching{"a/b": startCaching(t, r, "a/b"), "a-b": startCaching(t, r, "a-b")}
	register(t, r, service("a/b", "one"), 5*time.Second)
	register(t, openRegistry(t, server.Addr()), service("a-b", "two"), 5*time.Second)
	for name, want := range map[string]string{"a/b": "a/b/one=1", "a-b": "a-b/two=1"} {
		if got := read(t, r, name); got != want {
			t.Errorf("lookup of %q: %q, want %q", name, got, want)
		}
		testkit.Eventually(t, patience, "the view of "+name, func() bool { return views[name].view() == strings.TrimSuffix(want, "1") })
	}
	sameOrder(t, "a/b", slash.said(0), []string{"create a/b/one"})
	testkit.Eventually(t, patience, "the watcher of a-b", func() bool { return dash.count() == 1 })
	sameOrder(t, "a-b", dash.said(0), []string{"create a-b/two"})

	// One key for two nodes: it passes from one to the other.
	commit(t, client, putOf(t, "a/b", "same", "1"))
	testkit.Eventually(t, patience, "it is a/b's", func() bool { return slash.text("a/b/same") == "1" && dash.text("a-b/same") == "" })
	commit(t, client, putOf(t, "a-b", "same", "2"))
	testkit.Eventually(t, patience, "it is a-b's", func() bool { return slash.text("a/b/same") == "" && dash.text("a-b/same") == "2" })
	commit(t, client, clientv3.OpDelete(record.Key("a-b", "same")))
	sameOrder(t, "a/b", slash.said(1), []string{"create a/b/same", "delete a/b/same"})
	testkit.Eventually(t, patience, "the watcher of a-b", func() bool { return dash.count() == 3 })
	sameOrder(t, "a-b", dash.said(1), []string{"create a-b/same", "delete a-b/same"})
	t.Log("measured: two services under one prefix, each with exactly its own nodes")
}
