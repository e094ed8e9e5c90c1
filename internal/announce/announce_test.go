package announce

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := Listen("127.0.0.1:0", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// announced starts to announce a server on l, with check.
func announced(t *testing.T, r registry.Registry, l net.Listener, check func(context.Context) error) *Announcement {
	t.Helper()
	return Start(Config{
		Kind: "test", Listener: l, Registry: r,
		Node: func() Node {
			return Node{
				Name: "shop", Version: "1", ID: "shop-7", Registry: r,
				Metadata: map[string]string{"zone": "a", "protocol": "mine"}, Says: map[string]string{"protocol": "http"},
			}
		},
		Check: func() func(context.Context) error { return check },
	})
}

func TestTheRecordOfANode(t *testing.T) {
	r := memory.NewRegistry()
	l := listen(t)
	a := announced(t, r, l, nil)
	a.Await(10 * time.Second)
	if err := a.Unready(); err != nil {
		t.Fatal(err)
	}
	services, err := r.GetService("shop")
	if err != nil {
		t.Fatal(err)
	}
	n := services[0].Nodes[0]
	want := map[string]string{"zone": "a", "protocol": "http", "registry": "memory", record.Mark: defaults.Version}
	if n.Id != "shop-7" || n.Address != l.Addr().String() || len(n.Metadata) != len(want) {
		t.Errorf("registered %+v", n)
	}
	for k, v := range want {
		if n.Metadata[k] != v {
			t.Errorf("metadata %q are %q, want %q", k, n.Metadata[k], v)
		}
	}
	if s := a.Stats(); s["registered"] != 1 || s["registrations"] != 1 {
		t.Errorf("stats: %v", s)
	}
	if registered, err := a.Leave(); !registered || err != nil {
		t.Errorf("leave: %v, %v", registered, err)
	}
	if _, err := r.GetService("shop"); err == nil {
		t.Error("the node stayed")
	}
	var why *NotReady
	if err := a.Unready(); !errors.As(err, &why) || !strings.HasPrefix(why.Summary, "left") {
		t.Errorf("after it left: %v", err)
	}
}

// A check that fails keeps the node out, and nobody waits for it.
func TestAwaitEndsWhenTheNodeIsKeptOut(t *testing.T) {
	a := announced(t, memory.NewRegistry(), listen(t), func(context.Context) error { return errors.New("no database") })
	a.Await(time.Hour)
	w := httptest.NewRecorder()
	Handler(a.Unready).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if body := w.Body.String(); w.Code != http.StatusServiceUnavailable || !strings.HasPrefix(body, "not ready: unhealthy since") || strings.Contains(body, "database") {
		t.Errorf("answered %d %q", w.Code, body)
	}
	if registered, err := a.Leave(); registered || err != nil {
		t.Errorf("leave: %v, %v", registered, err)
	}
	a.Await(time.Hour) // has left
}

func TestWhatCanNeverBeRegistered(t *testing.T) {
	r := memory.NewRegistry()
	for want, n := range map[string]Node{
		`service name ""`:      {ID: "1", Registry: r},
		`node id ""`:           {Name: "shop", Registry: r},
		`advertise "a b"`:      {Name: "shop", ID: "1", Registry: r, Advertise: "a b"},
		`within a network`:     {Name: "shop", ID: "1", Registry: r, CIDR: "10"},
		`no registry`:          {Name: "shop", ID: "1"},
		`check service "shop"`: {Name: "shop", Version: "\n", ID: "1", Registry: r},
	} {
		if err := n.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %s", err, want)
		}
	}
	if err := (Node{Name: "shop", ID: "1", Registry: r}).Check(); err != nil {
		t.Error(err)
	}
}

func TestListen(t *testing.T) {
	l := listen(t)
	if _, err := Listen(l.Addr().String(), "", nil); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("an address in use: %v", err)
	}
	if given, err := Listen("", "", l); err != nil || given != l {
		t.Errorf("a given listener: %v, %v", given, err)
	}
}

func TestEachServerOfAProcessHasAnIDOfItsOwn(t *testing.T) {
	ids := IDs{Process: "p"}
	first, second, third := ids.Next(), ids.Next(), ids.Next()
	if first != "p" || second == "p" || second == third {
		t.Errorf("got %q, %q, %q", first, second, third)
	}
}
