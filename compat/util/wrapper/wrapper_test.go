package wrapper

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/debug/trace/memory"
	merrors "github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// called is a client that notes its calls.
type called struct {
	client.Client
	md    metadata.Metadata
	opts  client.CallOptions
	times int
	err   error
}

func (c *called) Call(ctx context.Context, _ client.Request, _ any, opts ...client.CallOption) error {
	c.md, _ = metadata.FromContext(ctx)
	c.times++
	for _, o := range opts {
		o(&c.opts)
	}
	return c.err
}

func (c *called) Publish(ctx context.Context, _ client.Message, _ ...client.PublishOption) error {
	c.md, _ = metadata.FromContext(ctx)
	return nil
}

// served and asked are a request on either side.
type served struct{ server.Request }

func (served) Service() string  { return "notes" }
func (served) Endpoint() string { return "Notes.Read" }

type asked struct{ client.Request }

func (asked) Service() string  { return "notes" }
func (asked) Endpoint() string { return "Notes.Read" }

func TestClients(t *testing.T) {
	to := &called{}
	c := FromService("shop", StaticClient("a:1", to))
	if err := c.Call(t.Context(), asked{}, nil); err != nil || to.md["Micro-From-Service"] != "shop" || to.opts.Address[0] != "a:1" {
		t.Errorf("called with %v, %v: %v", to.md, to.opts.Address, err)
	}
	ctx := metadata.Set(t.Context(), "Micro-From-Service", "other")
	if err := c.Publish(ctx, nil); err != nil || to.md["Micro-From-Service"] != "other" {
		t.Errorf("published with %v: %v", to.md, err)
	}
	to.times = 0
	cache := client.NewCache()
	kept := CacheClient(func() *client.Cache { return cache }, to)
	var rsp struct{}
	for range 2 {
		if err := kept.Call(t.Context(), client.NewRequest("a", "b", nil), &rsp, client.WithCache(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if to.times != 1 {
		t.Errorf("%d calls for one answer", to.times)
	}
}

func TestTraces(t *testing.T) {
	tracer := memory.NewTracer()
	to := &called{err: errors.New("no")}
	c := TraceCall("shop", tracer, to)
	h := TraceHandler(tracer)(func(ctx context.Context, _ server.Request, _ any) error { return c.Call(ctx, asked{}, nil) })
	if err := h(t.Context(), served{}, nil); err != to.err {
		t.Errorf("got %v", err)
	}
	spans, err := tracer.Read()
	if err != nil || len(spans) != 2 {
		t.Fatalf("%d spans, %v", len(spans), err)
	}
	out, in := spans[0], spans[1]
	if out.Type != trace.SpanTypeRequestOutbound || in.Type != trace.SpanTypeRequestInbound || out.Parent != in.Id || out.Name != "notes.Notes.Read" || out.Metadata["error"] != "no" {
		t.Errorf("spans %+v in %+v", out, in)
	}
}

func TestAuth(t *testing.T) {
	a := auth.NewAuth()
	h := AuthHandler(func() auth.Auth { return struct{ auth.Auth }{a} })(func(context.Context, server.Request, any) error { return nil })
	err := h(metadata.Set(t.Context(), "Authorization", "Basic x"), served{}, nil)
	if merrors.FromError(err).Code != http.StatusUnauthorized {
		t.Errorf("another scheme: %v", err)
	}
	own := &auth.Token{AccessToken: "mine", Expiry: time.Now().Add(time.Hour)}
	a.Init(auth.ClientToken(own))
	to := &called{}
	if err := AuthClient(func() auth.Auth { return struct{ auth.Auth }{a} }, to).Call(t.Context(), asked{}, nil); err != nil || to.md["Authorization"] != "Bearer mine" {
		t.Errorf("called with %v: %v", to.md, err)
	}
}
