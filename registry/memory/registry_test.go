package memory

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/registrytest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func open(t *testing.T, opts ...registry.Option) *Registry {
	t.Helper()
	r := NewRegistry(opts...).(*Registry)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestRegistry(t *testing.T) {
	registrytest.Run(t, func(t *testing.T) registry.Registry { return open(t) },
		registrytest.TTL(200*time.Millisecond))
}

func service(name string, ids ...string) *registry.Service {
	s := &registry.Service{Name: name, Version: "1"}
	for _, id := range ids {
		s.Nodes = append(s.Nodes, &registry.Node{Id: id, Address: "h:1"})
	}
	return s
}

func ids(services []*registry.Service) string {
	var out []string
	for _, s := range services {
		for _, n := range s.Nodes {
			out = append(out, s.Name+"/"+n.Id)
		}
	}
	return strings.Join(out, " ")
}

func TestServicesOption(t *testing.T) {
	given := map[string][]*registry.Service{
		"foo":   {service("foo", "a"), nil, service("foo")},
		"named": {service("", "b")},
		"key":   {service("another", "c")},
	}
	r := open(t, Services(given))
	given["foo"][0].Nodes[0].Id = "changed"
	got, err := r.ListServices()
	if err != nil {
		t.Fatal(err)
	}
	if g, want := ids(got), "another/c foo/a named/b"; g != want {
		t.Errorf("got %s, want %s", g, want)
	}
	moved := service("foo", "a")
	moved.Nodes[0].Address = "h:2"
	if err := r.Init(Services(map[string][]*registry.Service{"foo": {moved, service("foo", "d")}})); err != nil {
		t.Fatal(err)
	}
	got, err = r.GetService("foo")
	if err != nil {
		t.Fatal(err)
	}
	if g, want := ids(got), "foo/a foo/d"; g != want {
		t.Errorf("after Init: got %s, want %s", g, want)
	}
	if a := got[0].Nodes[0].Address; a != "h:1" {
		t.Errorf("Init moved a node that was there to %q", a)
	}
}

func TestExpiryIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		w, err := r.Watch()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
		start := time.Now()
		for id, ttl := range map[string]time.Duration{"a": 300 * time.Millisecond, "b": 100 * time.Millisecond, "c": 200 * time.Millisecond} {
			if err := r.Register(service("s", id), registry.RegisterTTL(ttl)); err != nil {
				t.Fatal(err)
			}
		}
		var seen []string
		for range 6 {
			e, err := w.Next()
			if err != nil {
				t.Fatal(err)
			}
			if e.Action == "delete" {
				seen = append(seen, e.Service.Nodes[0].Id+time.Since(start).String())
			}
		}
		if got, want := strings.Join(seen, " "), "b100ms c200ms a300ms"; got != want {
			t.Errorf("deleted %s, want %s", got, want)
		}
		if _, err := r.GetService("s"); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("a service without nodes is found: %v", err)
		}
	})
}

func TestContextsAreHonoured(t *testing.T) {
	r := open(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range map[string]error{
		"Register":     r.Register(service("s", "a"), registry.RegisterContext(over)),
		"Deregister":   r.Deregister(service("s", "a"), registry.DeregisterContext(over)),
		"GetService":   second(r.GetService("s", registry.GetContext(over))),
		"ListServices": second(r.ListServices(registry.ListContext(over))),
		"Watch":        second(r.Watch(registry.WatchContext(over))),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s returned %v, want context.Canceled", what, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	w, err := r.Watch(registry.WatchContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := w.Next(); !errors.Is(err, registry.ErrWatcherStopped) {
		t.Errorf("Next returned %v after its context ended, want ErrWatcherStopped", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestClose(t *testing.T) {
	r := open(t)
	if err := r.Register(service("s", "a"), registry.RegisterTTL(time.Hour)); err != nil {
		t.Fatal(err)
	}
	w, err := r.Watch()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Next(); !errors.Is(err, registry.ErrWatcherStopped) {
		t.Errorf("Next returned %v, want ErrWatcherStopped", err)
	}
	for what, err := range map[string]error{
		"Init":         r.Init(),
		"Register":     r.Register(service("s", "a")),
		"Deregister":   r.Deregister(service("s", "a")),
		"GetService":   second(r.GetService("s")),
		"ListServices": second(r.ListServices()),
		"Watch":        second(r.Watch()),
		"Follow":       r.Follow(t.Context(), "s", deaf{}),
	} {
		if !errors.Is(err, registry.ErrClosed) {
			t.Errorf("%s after Close returned %v", what, err)
		}
	}
}

// deaf is a sink that takes no notice.
type deaf struct{}

func (deaf) Update(feed.Update) {}
func (deaf) Status(feed.Status) {}

// sink keeps what it is given.
type sink struct {
	updates chan feed.Update
	status  chan feed.Status
}

func (s sink) Update(u feed.Update) { s.updates <- u }
func (s sink) Status(u feed.Status) { s.status <- u }

func TestFollow(t *testing.T) {
	r := open(t)
	s := sink{make(chan feed.Update), make(chan feed.Status, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Follow(ctx, "s", s) }()
	var revision int64
	update := func(want, departed string) {
		t.Helper()
		u := <-s.updates
		if got := ids(u.Services); got != want {
			t.Errorf("the view is %q, want %q", got, want)
		}
		var gone []string
		for _, d := range u.Departed {
			gone = append(gone, d.Service+"/"+d.Node.Id)
		}
		if got := strings.Join(gone, " "); got != departed {
			t.Errorf("departed are %q, want %q", got, departed)
		}
		if u.Gap || u.Revision < revision {
			t.Errorf("gap %v, revision %d after %d", u.Gap, u.Revision, revision)
		}
		revision = u.Revision
	}
	update("", "")
	if st := <-s.status; !st.Live || st.Err != nil || st.Confirmed.IsZero() {
		t.Errorf("status is %+v, want live", st)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(r.Register(service("s", "a")))
	update("s/a", "")
	must(r.Register(service("other", "a")))
	must(r.Register(service("s", "a"))) // nothing new
	must(r.Register(service("s", "b")))
	update("s/a s/b", "")
	must(r.Deregister(service("s", "a")))
	update("s/b", "s/a")
	cancel()
	must(<-ended)
	if err := r.Follow(t.Context(), "..", s); err == nil {
		t.Error("a name that can never work is followed")
	}
}
