package client_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/defaults"
)

// fake is what the hook constructs in these tests.
type fake struct {
	client.Client
	opts   client.Options
	closed bool
}

func (f *fake) Options() client.Options { return f.opts }
func (f *fake) String() string          { return "fake" }
func (f *fake) Close() error            { f.closed = true; return nil }

func (f *fake) Call(context.Context, client.Request, any, ...client.CallOption) error { return nil }

// link fills the hook for the length of the test and counts constructions.
func link(t *testing.T) (last *atomic.Pointer[fake], made *atomic.Int32) {
	t.Helper()
	last, made = new(atomic.Pointer[fake]), new(atomic.Int32)
	defaults.Client.Set(func(opts ...client.Option) client.Client {
		made.Add(1)
		f := &fake{opts: client.NewOptions(opts...)}
		last.Store(f)
		return f
	})
	t.Cleanup(func() { defaults.Client.Set(nil) })
	return last, made
}

func TestWithoutAnImplementation(t *testing.T) {
	c := client.NewClient(client.ContentType("application/json"))
	ctx := t.Context()
	req := c.NewRequest("greeter", "Greeter.Hello", "body", client.WithContentType("text/plain"), client.StreamingRequest())
	msg := c.NewMessage("topic", "body")

	if req.Service() != "greeter" || req.Endpoint() != "Greeter.Hello" || req.Body() != "body" || req.ContentType() != "text/plain" || !req.Stream() {
		t.Errorf("NewRequest made %+v", req)
	}
	if msg.Topic() != "topic" || msg.Payload() != "body" {
		t.Errorf("NewMessage made %+v", msg)
	}
	if got := c.Options().ContentType; got != "application/json" {
		t.Errorf("Options has content type %q", got)
	}
	_, streamErr := c.Stream(ctx, req)
	for name, err := range map[string]error{
		"Init":     c.Init(),
		"Call":     c.Call(ctx, req, nil),
		"Call nil": c.Call(ctx, nil, nil),
		"Stream":   streamErr,
		"Publish":  c.Publish(ctx, msg),
		"default":  client.Call(ctx, req, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), `_ "github.com/rollcall-go/micro/client/grpc"`) {
			t.Errorf("%s returned %v, which does not name the import to add", name, err)
		}
	}
}

func TestNewClientConstructsThroughTheHook(t *testing.T) {
	_, made := link(t)
	c := client.NewClient(client.PoolSize(3))
	if _, ok := c.(*fake); !ok || c.Options().PoolSize != 3 || made.Load() != 1 {
		t.Fatalf("made %d clients, got %T", made.Load(), c)
	}
}

func TestClientMadeBeforeItsImplementation(t *testing.T) {
	early := client.NewClient(client.PoolSize(3))
	last, made := link(t)
	if closeErr := early.(interface{ Close() error }).Close(); closeErr != nil || made.Load() != 0 {
		t.Fatalf("Close returned %v and made %d clients", closeErr, made.Load())
	}

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := early.Call(context.Background(), nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 || early.String() != "fake" || early.Options().PoolSize != 3 {
		t.Fatalf("made %d clients, the options are %+v", made.Load(), early.Options())
	}
	if err := early.(interface{ Close() error }).Close(); err != nil || !last.Load().closed {
		t.Fatalf("Close returned %v and closed the client: %t", err, last.Load().closed)
	}
}

func TestContext(t *testing.T) {
	if _, ok := client.FromContext(t.Context()); ok {
		t.Fatal("an empty context has a client")
	}
	f := &fake{}
	if c, ok := client.FromContext(client.NewContext(t.Context(), f)); !ok || c != client.Client(f) {
		t.Fatalf("got %v, %t", c, ok)
	}
}
