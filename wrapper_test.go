package micro

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/wrapping"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// traced is a client that notes its name and the sender at each call.
type traced struct {
	client.Client
	name string
	to   *recorder
}

func (c traced) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	from, _ := metadata.Get(ctx, "Micro-From-Service")
	c.to.add(c.name + " from " + from)
	return c.Client.Call(ctx, req, rsp, opts...)
}

func TestOrderOfWrappers(t *testing.T) {
	var seen recorder
	around := func(name string) client.Wrapper {
		return func(c client.Client) client.Client { return traced{c, name, &seen} }
	}
	each := func(name string) client.CallWrapper {
		return func(next client.CallFunc) client.CallFunc {
			return func(ctx context.Context, node *registry.Node, req client.Request, rsp any, o client.CallOptions) error {
				seen.add(name)
				return next(ctx, node, req, rsp, o)
			}
		}
	}
	serve := func(name string) server.HandlerWrapper {
		return func(next server.HandlerFunc) server.HandlerFunc {
			return func(ctx context.Context, req server.Request, rsp any) error {
				seen.add(name)
				return next(ctx, req, rsp)
			}
		}
	}
	r := newMemory(t)
	s := newNode(t, "greeter", r, &Echo{},
		WrapClient(around("c1"), around("c2")), WrapCall(each("k1"), each("k2")), WrapHandler(serve("h1"), serve("h2")),
		WrapClient(around("c3")), WrapCall(each("k3")), WrapHandler(serve("h3")))
	run(t, s)
	if _, err := say(t.Context(), s.Client(), "greeter", "x"); err != nil {
		t.Fatal(err)
	}
	want := []string{"c3 from greeter", "c1 from greeter", "c2 from greeter", "k1", "k2", "k3", "h1", "h2", "h3"}
	if got := seen.take(); !slices.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
	s.Init(WrapClient(around("late")))
	if _, err := say(t.Context(), s.Client(), "greeter", "x"); err != nil {
		t.Fatal(err)
	}
	if got := seen.take(); got[0] != "late from " || !slices.Equal(got[1:], want) {
		t.Errorf("ran %q, want the wrapper of Init around everything", got)
	}
}

func TestFromService(t *testing.T) {
	r := newMemory(t)
	inner, outer := &Echo{}, &Echo{}
	b := newNode(t, "b", r, inner)
	a := newNode(t, "a", r, outer)
	outer.then = func(ctx context.Context) error {
		_, err := say(ctx, a.Client(), "b", "x")
		return err
	}
	run(t, b)
	run(t, a)
	caller := newNode(t, "caller", r, nil)
	ctx := metadata.NewContext(t.Context(), metadata.Metadata{"micro-from-service": "forged", "Other": "kept"})
	for _, ctx := range []context.Context{t.Context(), ctx} {
		if _, err := say(ctx, caller.Client(), "a", "x"); err != nil {
			t.Fatal(err)
		}
	}
	if got := outer.senders(); !slices.Equal(got, []string{"caller", "caller"}) {
		t.Errorf("a was called from %q, want caller", got)
	}
	if got := inner.senders(); !slices.Equal(got, []string{"a", "a"}) {
		t.Errorf("b was called from %q, want a and not who called that", got)
	}
	if md, _ := metadata.FromContext(ctx); fmt.Sprint(md) != fmt.Sprint(metadata.Metadata{"Micro-From-Service": "forged", "Other": "kept"}) {
		t.Errorf("the caller's metadata was changed: %v", md)
	}
	caller.Init(Name("renamed"))
	if _, err := say(t.Context(), caller.Client(), "b", "x"); err != nil || inner.senders()[2] != "renamed" {
		t.Errorf("b was called from %q (%v), want the new name", inner.senders(), err)
	}
}

func TestWithCache(t *testing.T) {
	r := newMemory(t)
	e := &Echo{}
	s := newNode(t, "greeter", r, e)
	run(t, s)
	c := s.Client()
	ask := func(text string, opts ...client.CallOption) *Text {
		t.Helper()
		rsp := new(Text)
		if err := c.Call(t.Context(), c.NewRequest("greeter", "Echo.Say", &Text{text}, client.WithContentType("application/json")), rsp, opts...); err != nil || rsp.Text != text {
			t.Fatalf("got %q, %v", rsp.Text, err)
		}
		return rsp
	}
	first := ask("a", client.WithCache(time.Minute))
	first.Text = "changed by the caller"
	ask("a", client.WithCache(time.Minute))
	if n := len(e.senders()); n != 1 {
		t.Errorf("%d requests, want the second answer from the cache", n)
	}
	ask("b", client.WithCache(time.Minute))
	ask("a")
	if n := len(e.senders()); n != 3 {
		t.Errorf("%d requests, want another question and one without a cache to be asked", n)
	}
	ask("c", client.WithCache(time.Nanosecond))
	ask("c", client.WithCache(time.Nanosecond))
	if n := len(e.senders()); n != 5 {
		t.Errorf("%d requests, want an expired answer to be asked for again", n)
	}
	e.wrong = errors.Forbidden("greeter", "no")
	for range 2 {
		if _, err := say(t.Context(), c, "greeter", "d", client.WithCache(time.Minute)); errors.FromError(err).Code != 403 {
			t.Errorf("got %v, want the error of the handler", err)
		}
	}
	if n := len(e.senders()); n != 7 {
		t.Errorf("%d requests, want errors not to be kept", n)
	}
	var other string
	if err := c.Call(t.Context(), c.NewRequest("greeter", "Echo.Say", &Text{"a"}, client.WithContentType("application/json")), &other, client.WithCache(time.Minute)); err == nil {
		t.Error("an answer of another type came from the cache")
	}
}

// silent is a client whose calls do nothing.
type silent struct{ client.Client }

func (silent) Call(context.Context, client.Request, any, ...client.CallOption) error { return nil }

func TestTheServicesWrappersCostLittle(t *testing.T) {
	n := &name{}
	n.set(server.Options{Name: "caller"})
	c := wrapping.Cached(func() *client.Cache { return nil }, &named{silent{}, n})
	plain := context.Background()
	full := metadata.NewContext(plain, metadata.Metadata{"A": "1", "B": "2"})
	for _, tt := range []struct {
		ctx context.Context
		max float64
	}{
		{plain, 1}, // the context
		{full, 4},  // and one copy of the metadata
	} {
		got := testing.AllocsPerRun(100, func() { _ = c.Call(tt.ctx, nil, nil) })
		if got > tt.max {
			t.Errorf("a call allocates %v times, want at most %v", got, tt.max)
		}
	}
}
