package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// fleet is how many nodes have to be listed again after a fault.
const fleet = 20

// TestEveryNodeComesBack lets etcd lose what it knows in four ways. Each time
// every node of a fleet is to be listed again at most 4 s after etcd answers, and
// a Watcher is to know.
func TestEveryNodeComesBack(t *testing.T) {
	eachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		nodes, all := make([]*node, fleet), map[string]bool{}
		for i := range nodes {
			// Each has a connection of its own, as a process would.
			nodes[i] = start(t, "greeter", openRegistry(t, e.Addr()))
			all[nodes[i].id()] = true
		}
		for _, n := range nodes {
			n.until(t, n.began, 5*time.Second)
		}
		r := openRegistry(t, e.Addr())
		v, c := watch(t, r, "greeter"), newClient(t, openRegistry(t, e.Addr()))
		mustSay(t, c, "greeter")

		// listed waits for all nodes to be there, in etcd and in the Watcher's eyes.
		listed := func(what string, since time.Time) {
			t.Helper()
			missing := func() error {
				there, err := ids(r, "greeter")
				if err != nil {
					return err
				}
				for _, n := range nodes {
					if !there[n.id()] {
						return fmt.Errorf("%d of %d nodes are listed, not %s, which says of itself: %v", len(there), fleet, n.id(), n.ready())
					}
				}
				return nil
			}
			testkit.Passes(t, 10*time.Second, "all nodes are listed", missing)
			inEtcd := time.Since(since)
			testkit.Eventually(t, 10*time.Second, "the Watcher knows all nodes", func() bool { return v.is(all) })
			seen := time.Since(since)
			t.Logf("%s: all %d nodes listed again after %v, seen by a Watcher after %v", what, fleet, inEtcd.Round(time.Millisecond), seen.Round(time.Millisecond))
			if inEtcd > 4*time.Second || seen > 4*time.Second {
				t.Errorf("%s: listed after %v, seen after %v, want at most 4 s", what, inEtcd, seen)
			}
			for _, n := range nodes {
				if err := n.ready(); err != nil {
					testkit.Eventually(t, 4*time.Second, n.id()+" knows that it is registered", func() bool { return n.ready() == nil })
				}
			}
			mustSay(t, c, "greeter")
		}

		e.Kill()
		mustSay(t, c, "greeter") // from what the client knows
		listed("killed and restarted", e.Restart(t))

		etcd := e.Client(t)
		caughtUp(t, v, etcd, "greeter")
		v.seen("create")
		v.seen("delete")
		deleted := time.Now()
		remove(t, etcd, "/micro/registry/greeter/"+nodes[0].id())
		testkit.Eventually(t, 4*time.Second, "the Watcher saw the node come back", func() bool { return v.seen("create") == 1 })
		listed("one key deleted", deleted)
		if n := v.seen("delete"); n != 1 {
			t.Errorf("the Watcher saw %d deletes, want 1", n)
		}

		deleted = time.Now()
		remove(t, etcd, "/micro/registry/", clientv3.WithPrefix())
		listed("all keys deleted", deleted)

		e.Wipe()
		mustSay(t, c, "greeter")
		listed("restarted empty", e.Restart(t))

		// The first node's key was deleted twice and wiped once; a kill takes none.
		stats := nodes[0].server.(interface{ Stats() map[string]uint64 }).Stats()
		if stats["registered"] != 1 || stats["registrations_lost"] < 3 || stats["registrations"] != stats["registrations_lost"]+1 {
			t.Errorf("the first node counts %v, want at least 3 losses and a registration after each", stats)
		}
	})
}

func remove(t *testing.T, c *clientv3.Client, key string, opts ...clientv3.OpOption) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := c.Delete(ctx, key, opts...); err != nil {
		t.Fatalf("delete %q: %v", key, err)
	}
}

func put(t *testing.T, c *clientv3.Client, key, value string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := c.Put(ctx, key, value); err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
}

// caughtUp returns when the Watcher behind v hears of changes as they happen.
func caughtUp(t *testing.T, v *view, c *clientv3.Client, service string) {
	t.Helper()
	before := v.all()
	key := "/micro/registry/" + service + "/marker"
	put(t, c, key, stored(service, "marker", "127.0.0.1:1"))
	testkit.Eventually(t, 10*time.Second, "the Watcher saw the marker", func() bool { return v.all()["marker"] })
	remove(t, c, key)
	testkit.Eventually(t, 10*time.Second, "the Watcher saw the marker go", func() bool { return v.is(before) })
}

// stored is a node as v2 writes it.
func stored(service, id, address string) string {
	return fmt.Sprintf(`{"name":%q,"version":"1","metadata":null,"endpoints":null,"nodes":[{"id":%q,"address":%q,"metadata":null}]}`, service, id, address)
}

// TestCompactedWhileCutOff takes the link away, changes much, and removes all
// history before the link is back.
func TestCompactedWhileCutOff(t *testing.T) {
	eachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		proxy := testkit.StartProxy(t, e.Addr())
		etcd := e.Client(t)
		n := start(t, "greeter", openRegistry(t, e.Addr()))
		n.until(t, n.began, 2*time.Second)
		key := func(i int) string { return fmt.Sprintf("/micro/registry/shop/shop-%03d", i) }
		keep := func(i int) {
			put(t, etcd, key(i), stored("shop", fmt.Sprintf("shop-%03d", i), "127.0.0.1:1"))
		}
		for i := range 10 {
			keep(i)
		}
		r := openRegistry(t, proxy.Addr())
		v, c := watch(t, r, "shop"), newClient(t, r)
		mustSay(t, c, "greeter")

		proxy.Cut()
		for i := range 5 {
			remove(t, etcd, key(i))
		}
		for i := 10; i < 20; i++ {
			keep(i)
		}
		for i := range 50 {
			put(t, etcd, "/elsewhere", fmt.Sprint(i))
		}
		e.Compact(t)
		for range 20 {
			mustSay(t, c, "greeter")
		}
		want, err := ids(openRegistry(t, e.Addr()), "shop")
		if err != nil {
			t.Fatal(err)
		}
		back := time.Now()
		proxy.Restore(t)
		testkit.Eventually(t, 10*time.Second, "the view equals etcd", func() bool { return v.is(want) })
		took := time.Since(back)
		t.Logf("the view equals etcd %v after the link was back", took)
		if took > 4*time.Second {
			t.Errorf("the view equals etcd after %v, want at most 4 s", took)
		}
		if deletes, creates := v.seen("delete"), v.seen("create"); deletes != 5 || creates != 10 {
			t.Errorf("the Watcher saw %d deletes and %d creates, want 5 and 10", deletes, creates)
		}
		mustSay(t, c, "greeter")
	})
}

// TestFrozenEtcd stops etcd as a process, with its connections open.
func TestFrozenEtcd(t *testing.T) {
	eachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		p := startProgram(t, "service", nil, "--registry=etcd", "--registry_address="+e.Addr())
		r := openRegistry(t, e.Addr())
		n := start(t, "greeter", openRegistry(t, e.Addr()))
		n.until(t, n.began, 2*time.Second)
		testkit.Eventually(t, 5*time.Second, "the program is registered", func() bool { all, err := ids(r, "go.micro.service.demo"); return err == nil && len(all) == 1 })
		c := newClient(t, r)
		mustSay(t, c, "greeter")

		svc := func(name string) *registry.Service {
			return &registry.Service{Name: name, Version: "1", Nodes: []*registry.Node{{Id: name + "-1", Address: "127.0.0.1:1"}}}
		}
		if err := r.Register(svc("leaving")); err != nil {
			t.Fatal(err)
		}
		e.Freeze(t)
		late := make(chan string, 10)
		calls := map[string]func() error{
			"Register":     func() error { return r.Register(svc("coming")) },
			"Deregister":   func() error { return r.Deregister(svc("leaving")) },
			"GetService":   func() error { _, err := r.GetService("greeter"); return err },
			"ListServices": func() error { _, err := r.ListServices(); return err },
			"Watch": func() error {
				w, err := r.Watch()
				if err == nil {
					w.Stop()
				}
				return err
			},
		}
		for what, call := range calls {
			go func() {
				began := time.Now()
				err := call()
				took := time.Since(began)
				switch {
				case took > timeout+300*time.Millisecond:
					late <- fmt.Sprintf("%s took %v, the timeout is %v", what, took, timeout)
				case err == nil:
					late <- what + " succeeded"
				case !strings.Contains(err.Error(), e.Addr()):
					late <- fmt.Sprintf("%s: %v does not name the address", what, err)
				default:
					late <- ""
				}
			}()
		}
		for range calls {
			if s := <-late; s != "" {
				t.Error(s)
			}
		}
		mustSay(t, c, "greeter")
		mustSay(t, n.Client(), "greeter", client.WithAddress(n.address()))

		begin := time.Now()
		p.signal(t, terminate)
		code := p.wait(t, 10*time.Second)
		t.Logf("the program ended with %d, %v after SIGTERM", code, time.Since(begin).Round(time.Millisecond))
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("the program ended %v after SIGTERM, want at most 5 s", took)
		}
		e.Thaw(t)
	})
}
