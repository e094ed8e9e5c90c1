package operate

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	consulreg "github.com/rollcall-go/micro/registry/consul"
)

func TestConsul(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t)
	client := consul.Open(consul.Config{Addrs: []string{agent.Addr()}, Timeout: 5 * time.Second})
	t.Cleanup(client.Close)
	o := Consul(client)
	r := consulreg.NewRegistry(registry.Addrs(agent.Addr()))
	closed := false
	end := func() {
		if !closed {
			closed = true
			if err := r.(io.Closer).Close(); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(end)
	s := &registry.Service{Name: "shop", Version: "1", Nodes: []*registry.Node{{Id: "shop-1", Address: dead, Metadata: map[string]string{"zone": "a"}}}}
	if err := r.Register(s, registry.RegisterTTL(5*time.Second)); err != nil {
		t.Fatal(err)
	}
	await := func(found bool) {
		t.Helper()
		if err := Await(t.Context(), r, "shop", "shop-1", found); err != nil {
			t.Fatal(err)
		}
	}
	only := func() Node {
		t.Helper()
		nodes, err := o.Nodes(t.Context(), "shop")
		if err != nil || len(nodes) != 1 {
			t.Fatalf("got %+v, %v", nodes, err)
		}
		return nodes[0]
	}
	await(true)
	n := only()
	if n.Id != "shop-1" || n.Address != dead || n.Service.Version != "1" || n.Metadata["zone"] != "a" || n.Hidden {
		t.Errorf("got %+v of %+v", n.Node, n.Service)
	}
	if got := o.Standing(t.Context(), []Node{n})["shop-1"].Check; got != "passing" {
		t.Errorf("its check is %q", got)
	}
	if err := o.Deregister(t.Context(), n, false); !errors.Is(err, ErrAlive) || !strings.Contains(err.Error(), "its health check passes") {
		t.Errorf("a node that lives: %v", err)
	}

	if err := o.Pause(t.Context(), "shop", "shop-1", "ops@host", "disk: full"); err != nil {
		t.Fatal(err)
	}
	await(false)
	for _, of := range []string{"shop", ""} {
		testkit.Eventually(t, 10*time.Second, "the pause is known", func() bool {
			all, err := o.Pauses(t.Context(), of)
			return err == nil && len(all) == 1 && all[0].Service == "shop" && all[0].Node == "shop-1" &&
				(of == "" || all[0].By == "ops@host" && all[0].At != "" && all[0].Reason == "disk: full")
		})
	}
	if n := only(); !n.Hidden || o.Standing(t.Context(), []Node{n})["shop-1"].Check != "maintenance" {
		t.Errorf("a paused node stands as %+v", o.Standing(t.Context(), []Node{n}))
	}
	if err := o.Resume(t.Context(), "shop", "shop-1"); err != nil {
		t.Fatal(err)
	}
	await(true)
	for want, err := range map[string]error{
		`pause node "other" of "shop": it is not registered`: o.Pause(t.Context(), "shop", "other", "", ""),
		`resume node "x" of "none": it is not registered`:    o.Resume(t.Context(), "none", "x"),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}

	// Its process dies, and something else answers at its address for a while.
	end()
	testkit.Eventually(t, 60*time.Second, "its time runs out", func() bool { return only().Hidden })
	n = only()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	alive := n
	taken := *n.Node
	taken.Address = l.Addr().String()
	alive.Node = &taken
	if err := o.Deregister(t.Context(), alive, false); !errors.Is(err, ErrAlive) || !strings.Contains(err.Error(), "something answers at") {
		t.Errorf("got %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := o.Deregister(t.Context(), n, false); err != nil {
		t.Error(err)
	}
	testkit.Eventually(t, 10*time.Second, "it is gone", func() bool {
		nodes, err := o.Nodes(t.Context(), "shop")
		return err == nil && len(nodes) == 0
	})
}

func TestPauseOf(t *testing.T) {
	for notes, want := range map[string]Pause{
		"paused by me@here at 2026-01-01T00:00:00Z":       {By: "me@here", At: "2026-01-01T00:00:00Z"},
		"paused by me at 2026-01-01T00:00:00Z: a: b at c": {By: "me", At: "2026-01-01T00:00:00Z", Reason: "a: b at c"},
		"new kernel": {Reason: "new kernel"},
		"":           {},
	} {
		if got := pauseOf(notes); got != want {
			t.Errorf("%q: got %+v, want %+v", notes, got, want)
		}
	}
}
