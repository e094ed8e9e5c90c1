package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
)

// Row B8: records that cannot be read lie among those of a service. The others are
// served at once by lookup, watch and views, and called; what was skipped is counted.
func TestB8PoisonedRecord(t *testing.T) {
	t.Parallel()
	const bound = 2 * time.Second
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	r := fleet.Registry(t, server.Addr())
	w, view := fleet.Watch(t, r, nil), startCaching(t, r, "s")
	poison := map[string]string{
		"garbage": "garbage", "empty": "", "null": "null", "list": "[]", "truncated": `{"name":"s","nodes":[{"id":"trunc`,
		"foreign": `{"name":"other","nodes":[{"id":"foreign"}]}`, "large": strings.Repeat("x", 1<<20), "deep/er": "{",
		"mistyped": `{"name":"s","version":1,"nodes":"none"}`, "nodeless": `{"name":"s","version":"1","nodes":null}`,
		"binary": "\x00\xff\xfe", "big": `{"name":"s","version":"` + strings.Repeat("x", 1<<20) + `","nodes":[null]}`,
	}
	for id, value := range poison {
		commit(t, client, clientv3.OpPut("/micro/registry/s/"+id, value))
		commit(t, client, clientv3.OpPut("/micro/registry/called/"+id, value))
	}
	begin := time.Now()
	commit(t, client, putOf(t, "s", "good", "1"))
	within(t, "the good node is seen", since(t, begin, "the good node is seen by watcher and view", func() bool {
		return outline(w.Nodes()) == "s/good=1" && view.view() == "s/good=1"
	}), bound)
	if got := read(t, r, "s"); got != "s/good=1" {
		t.Errorf("the lookup returned %q", got)
	}
	fresh := startCaching(t, fleet.Registry(t, server.Addr()), "s")
	testkit.Eventually(t, patience, "a view that starts now has it", func() bool { return fresh.view() == "s/good=1" })
	// A record that turns bad is gone, and back when it is good again.
	commit(t, client, clientv3.OpPut("/micro/registry/s/good", "garbage"))
	testkit.Eventually(t, patience, "the node is gone", func() bool { return outline(w.Nodes()) == "" && view.view() == "" })
	commit(t, client, putOf(t, "s", "good", "2"))
	testkit.Eventually(t, patience, "the node is back", func() bool { return outline(w.Nodes()) == "s/good=2" && view.view() == "s/good=2" })
	n := fleet.Service(t, "called", fleet.Registry(t, server.Addr()), nil)
	testkit.Passes(t, patience, "the service is registered", n.Ready)
	c := fleet.Client(t, fleet.Registry(t, server.Addr()))
	for range 20 {
		fleet.MustSay(t, c, "called")
	}
	if all, err := r.ListServices(); err != nil || len(all) != 2 {
		t.Errorf("listed are %v (%v), want the good nodes' services alone", all, err)
	}
	skipped := r.(interface{ Stats() map[string]uint64 }).Stats()["records_skipped"]
	t.Logf("measured: %d records skipped, at least %d were there", skipped, len(poison))
	if skipped < uint64(len(poison)) {
		t.Errorf("%d records were skipped, want at least %d", skipped, len(poison))
	}
}

// Row B9: services whose names begin alike. Lookup, watch and view of each have its
// own nodes and no others, and neighbours of the prefix are nobody's.
func TestB9NamesThatBeginAlike(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	r := fleet.Registry(t, server.Addr())
	names := []string{"a", "ab", "a.b", "a-b", "a-", "a b", "a0", "A"}
	var watches []*fleet.Watcher
	var views []*caching
	for _, name := range names {
		watches = append(watches, fleet.Watch(t, r, nil, registry.WatchService(name)))
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
			return outline(watches[i].Nodes()) == want && views[i].view() == want
		})
		if n := watches[i].Events(); n != 3 {
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
	r := fleet.Registry(t, server.Addr())
	slash, dash := fleet.Watch(t, r, nil, registry.WatchService("a/b")), fleet.Watch(t, r, nil, registry.WatchService("a-b"))
	views := map[string]*caching{"a/b": startCaching(t, r, "a/b"), "a-b": startCaching(t, r, "a-b")}
	register(t, r, fleet.Record("a/b", "one"), 5*time.Second)
	register(t, fleet.Registry(t, server.Addr()), fleet.Record("a-b", "two"), 5*time.Second)
	for name, want := range map[string]string{"a/b": "a/b/one=1", "a-b": "a-b/two=1"} {
		if got := read(t, r, name); got != want {
			t.Errorf("lookup of %q: %q, want %q", name, got, want)
		}
		testkit.Eventually(t, patience, "the view of "+name, func() bool { return views[name].view() == strings.TrimSuffix(want, "1") })
	}
	sameOrder(t, "a/b", slash.Said(0), []string{"create a/b/one"})
	testkit.Eventually(t, patience, "the watcher of a-b", func() bool { return dash.Events() == 1 })
	sameOrder(t, "a-b", dash.Said(0), []string{"create a-b/two"})

	// One key for two nodes: it passes from one to the other.
	commit(t, client, putOf(t, "a/b", "same", "1"))
	testkit.Eventually(t, patience, "it is a/b's", func() bool { return slash.Text("a/b/same") == "1" && dash.Text("a-b/same") == "" })
	commit(t, client, putOf(t, "a-b", "same", "2"))
	testkit.Eventually(t, patience, "it is a-b's", func() bool { return slash.Text("a/b/same") == "" && dash.Text("a-b/same") == "2" })
	commit(t, client, clientv3.OpDelete(layout.Layout{}.Node("a-b", "same")))
	sameOrder(t, "a/b", slash.Said(1), []string{"create a/b/same", "delete a/b/same"})
	testkit.Eventually(t, patience, "the watcher of a-b", func() bool { return dash.Events() == 3 })
	sameOrder(t, "a-b", dash.Said(1), []string{"create a-b/same", "delete a-b/same"})
	t.Log("measured: two services under one prefix, each with exactly its own nodes")
}
