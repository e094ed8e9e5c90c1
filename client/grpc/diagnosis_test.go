package grpc

import (
	"context"
	stderrors "errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// operated is a registry in which nodes can be paused.
type operated struct {
	registry.Registry
	paused []string
	lists  atomic.Int64
}

var _ ability.Pauser = (*operated)(nil)

func (r *operated) Paused(context.Context, string) ([]string, error) { return r.paused, nil }

func (r *operated) ListServices(opts ...registry.ListOption) ([]*registry.Service, error) {
	r.lists.Add(1)
	return r.Registry.ListServices(opts...)
}

func TestAnErrorNamesTheNearestServices(t *testing.T) {
	r := &operated{Registry: register(t, service("greeter", serve(t, echo)))}
	c := newClient(t, client.Registry(r))
	begun := time.Now()
	testkit.Eventually(t, hintFresh, "the service that was meant is named", func() bool {
		err := c.Call(t.Context(), c.NewRequest("greter", "Echo.Say", wrapperspb.String("x")), &wrapperspb.StringValue{})
		if !stderrors.Is(err, registry.ErrNotFound) {
			t.Fatalf("got %v", err)
		}
		return strings.Contains(err.Error(), `did you mean [\"greeter\"]`)
	})
	if asked, most := r.lists.Load(), int64(time.Since(begun)/hintFresh)+1; asked > most+1 { // one to follow
		t.Errorf("the registry was asked %d times for one error", asked)
	}
}

// However many names are called that nobody has, the registry lists its services
// once in a while, and few of the names are followed.
func TestUnknownNamesCostLittle(t *testing.T) {
	r := &operated{Registry: register(t, service("greeter", serve(t, echo)))}
	c := newClient(t, client.Registry(r))
	call := func(name string) {
		t.Helper()
		err := c.Call(t.Context(), c.NewRequest(name, "Echo.Say", wrapperspb.String("x")), &wrapperspb.StringValue{})
		if !stderrors.Is(err, registry.ErrNotFound) {
			t.Fatalf("got %v", err)
		}
	}
	call("warm")
	before, begun := runtime.NumGoroutine(), time.Now()
	for i := range 1000 {
		call(fmt.Sprintf("unknown-%d", i))
	}
	most := int64(time.Since(begun)/hintFresh) + 2
	if lists := r.lists.Load(); lists > most {
		t.Errorf("the registry was listed %d times, want %d at most", lists, most)
	}
	testkit.Eventually(t, 5*time.Second, "the names are followed no longer", func() bool {
		return runtime.NumGoroutine() < before+5*defaults.MaxUnknownNames
	})
}

// A burst of names does not make the answers about others be asked for again.
func TestHintsAreKept(t *testing.T) {
	r := &operated{Registry: register(t)}
	h := newDiagnosis(r)
	defer h.close()
	first, paused, etcd := h.ask("first")
	for i := range 2 * hintMost {
		h.ask(fmt.Sprintf("other-%d", i))
	}
	if names, _, _ := h.ask("last"); names != first || paused == nil || etcd != nil {
		t.Error("the names were asked for again")
	}
	if len(h.paused) > hintMost {
		t.Errorf("%d services are remembered, want %d at most", len(h.paused), hintMost)
	}
}

// multicast is what calls itself mDNS.
type multicast struct{ registry.Registry }

func (multicast) String() string { return "mdns" }

// TestAnErrorOfMDNSNamesAnEtcdOfThisHost calls what nobody has registered, while an etcd
// answers on this host or none does.
func TestAnErrorOfMDNSNamesAnEtcdOfThisHost(t *testing.T) {
	var asked atomic.Int64
	etcd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{"etcdserver":"3.5.27"}`))
	}))
	defer etcd.Close()
	const hint = "an etcd answers on "
	for _, tt := range []struct {
		registry registry.Registry
		at       string
		want     bool
	}{
		{multicast{register(t)}, etcd.Listener.Addr().String(), true},
		{multicast{register(t)}, "127.0.0.1:1", false},
		{register(t), etcd.Listener.Addr().String(), false},
	} {
		c := newClient(t, client.Registry(tt.registry))
		c.(*grpcClient).current.Load().backends.diagnosis.etcdAt = tt.at
		call := func() error {
			err := c.Call(t.Context(), c.NewRequest("greeter", "Echo.Say", wrapperspb.String("x")), &wrapperspb.StringValue{})
			if !stderrors.Is(err, registry.ErrNotFound) {
				t.Fatalf("got %v", err)
			}
			return err
		}
		if !tt.want {
			if err := call(); strings.Contains(err.Error(), hint) {
				t.Errorf("%s: %v", tt.registry, err)
			}
			continue
		}
		testkit.Eventually(t, 5*time.Second, "the etcd is named", func() bool {
			return strings.Contains(call().Error(), hint+tt.at+": choose it with --registry=etcd")
		})
	}
	if n := asked.Load(); n == 0 { // how often is that of the other hints
		t.Errorf("the etcd was asked %d times", n)
	}
}

// wrapper is a registry around another one that hides what it can do, and says
// what it wraps.
type wrapper struct{ registry.Registry }

func (w wrapper) Unwrap() registry.Registry { return w.Registry }

func TestAnErrorSaysWhoIsPaused(t *testing.T) {
	var r registry.Registry = &operated{Registry: register(t), paused: []string{"greeter-1"}}
	for _, r := range []registry.Registry{r, wrapper{r}} {
		saysWhoIsPaused(t, r)
	}
}

func saysWhoIsPaused(t *testing.T, r registry.Registry) {
	t.Helper()
	c := newClient(t, client.Registry(r))
	testkit.Eventually(t, hintFresh, "the error says it", func() bool {
		err := c.Call(t.Context(), c.NewRequest("greeter", "Echo.Say", wrapperspb.String("x")), &wrapperspb.StringValue{})
		if !stderrors.Is(err, selector.ErrNotFound) {
			t.Fatalf("got %v", err)
		}
		return strings.Contains(err.Error(), "paused") && strings.Contains(err.Error(), "greeter-1")
	})
}

func TestAnErrorSaysThatNoNodeCanBeReached(t *testing.T) {
	a := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", a))))
	a.server.Stop()
	_, err := say(t.Context(), c, "x")
	if e := fault(t, err); e.Code != 500 || !strings.Contains(e.Detail, "none of 1 nodes can be reached") ||
		!strings.Contains(e.Detail, a.Address) || !stderrors.Is(err, selector.ErrNoneAvailable) {
		t.Errorf("got %v", e)
	}
}
