package etcd_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// Who registers in one namespace is found there alone, by lookup, list and watch,
// and paused there alone.
func TestNamespace(t *testing.T) {
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	names := []string{"", "x", "xy"}
	all := map[string]registry.Registry{}
	watchers := map[string]registry.Watcher{}
	for _, name := range names {
		r := open(t, server.Addr(), etcd.Namespace(name))
		all[name] = r
		w, err := r.Watch()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
		watchers[name] = w
	}
	for _, name := range names {
		if err := all[name].Register(service("s", "node"+name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		services, err := all[name].GetService("s")
		if err != nil || len(services) != 1 || len(services[0].Nodes) != 1 || services[0].Nodes[0].Id != "node"+name {
			t.Errorf("%q: found %+v, %v", name, services, err)
		}
		if listed, err := all[name].ListServices(); err != nil || len(listed) != 1 || len(listed[0].Nodes) != 1 {
			t.Errorf("%q: listed %+v, %v", name, listed, err)
		}
		if r, err := watchers[name].Next(); err != nil || r.Service.Nodes[0].Id != "node"+name {
			t.Errorf("%q: watched %+v, %v", name, r, err)
		}
	}
	keys, err := client.Get(t.Context(), "/xy/", clientv3.WithPrefix())
	if err != nil || keys.Count != 1 || string(keys.Kvs[0].Key) != "/xy/micro/registry/s/nodexy" {
		t.Errorf("below /xy/ there is %+v, %v", keys, err)
	}

	pause := layout.Layout{Namespace: "x"}.Pause("s", "nodex")
	if _, err := client.Put(t.Context(), pause, "{}"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 5*time.Second, "the node of x is paused", func() bool {
		_, err := all["x"].GetService("s")
		return errors.Is(err, registry.ErrNotFound)
	})
	for _, name := range names {
		p, _ := ability.As[ability.Pauser](all[name])
		if ids, err := p.Paused(t.Context(), "s"); err != nil || (len(ids) == 1) != (name == "x") {
			t.Errorf("%q: paused are %q, %v", name, ids, err)
		}
	}

	// A registry moves to another namespace with all that is registered.
	if err := all[""].Init(etcd.Namespace("moved")); err != nil {
		t.Fatal(err)
	}
	if services, err := all[""].GetService("s"); err != nil || len(services) != 1 {
		t.Errorf("moved: found %+v, %v", services, err)
	}
	if keys, err := client.Get(t.Context(), "/micro/registry/", clientv3.WithPrefix()); err != nil || keys.Count != 0 {
		t.Errorf("left behind: %+v, %v", keys, err)
	}
}

func TestNamespaceThatCannotBe(t *testing.T) {
	r := open(t, "127.0.0.1:1", etcd.Namespace("a/b"))
	_, err1 := r.GetService("s")
	_, err2 := r.Watch()
	for _, err := range []error{err1, err2, r.Register(service("s", "n")), ability.Check(r)} {
		if err == nil || !strings.Contains(err.Error(), `namespace "a/b"`) {
			t.Errorf("got %v, want an error that names it", err)
		}
	}
}
