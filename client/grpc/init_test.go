package grpc

import (
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestNewClientStartsNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 10 {
		NewClient(client.Registry(register(t)))
	}
	if got := runtime.NumGoroutine(); got > before {
		t.Errorf("%d goroutines, before %d", got, before)
	}
}

func TestClientOfTheContract(t *testing.T) {
	if c, ok := client.NewClient().(*grpcClient); !ok {
		t.Errorf("client.NewClient makes a %T", c)
	}
}

func TestInitReplacesTheRegistry(t *testing.T) {
	a, b := serve(t, echo), serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", a))))
	mustSay(t, c, "x")
	if err := c.Init(client.Registry(register(t, service("echo", b)))); err != nil {
		t.Fatal(err)
	}
	mustSay(t, c, "x")
	if a.calls.Load() != 1 || b.calls.Load() != 1 {
		t.Errorf("%d and %d calls", a.calls.Load(), b.calls.Load())
	}
	testkit.Eventually(t, 5*time.Second, "the connections of the old registry are closed", func() bool { return a.open.Load() == 0 })
}

func TestInitLetsCallsEnd(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	a := serve(t, func(ctx context.Context, path string, decode func(any) error) (any, error) {
		close(arrived)
		<-goOn
		return echo(ctx, path, decode)
	})
	c := newClient(t, client.Registry(register(t, service("echo", a))))
	heard := make(chan error, 1)
	go func() {
		_, err := say(context.Background(), c, "x")
		heard <- err
	}()
	<-arrived
	if err := c.Init(client.Registry(register(t))); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	if err := <-heard; err != nil {
		t.Errorf("the call that was under way: %v", err)
	}
}

func TestInitLeaksNothing(t *testing.T) {
	a := serve(t, echo)
	r := register(t, service("echo", a))
	c := newClient(t, client.Registry(r))
	mustSay(t, c, "x")
	before := runtime.NumGoroutine()
	for range 10 {
		if err := c.Init(client.Registry(r), client.Retries(2), client.RequestTimeout(time.Second)); err != nil {
			t.Fatal(err)
		}
		mustSay(t, c, "x")
	}
	if got := a.conns.Load(); got != 1 {
		t.Errorf("Init with the same registry: %d connections", got)
	}
	for range 10 {
		if err := c.Init(client.Registry(register(t, service("echo", a)))); err != nil {
			t.Fatal(err)
		}
		mustSay(t, c, "x")
	}
	testkit.Eventually(t, 5*time.Second, "all but one connection are closed", func() bool { return a.open.Load() == 1 })
	testkit.Eventually(t, 5*time.Second, "there are no more goroutines than before", func() bool { return runtime.NumGoroutine() <= before })
}

func TestClose(t *testing.T) {
	arrived := make(chan struct{})
	n := serve(t, func(ctx context.Context, _ string, _ func(any) error) (any, error) {
		close(arrived)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	r := register(t, service("echo", n))
	c := NewClient(client.Registry(r))
	heard := make(chan error, 1)
	go func() {
		_, err := say(context.Background(), c, "x")
		heard <- err
	}()
	<-arrived
	for range 2 {
		if err := c.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-heard; err == nil {
		t.Error("the call in flight survived")
	}
	if _, err := say(t.Context(), c, "x"); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("a call after Close: %v", err)
	}
	if err := c.Init(); err == nil {
		t.Error("Init after Close succeeded")
	}
}

func TestTwoClients(t *testing.T) {
	a, b := serve(t, echo), serve(t, echo)
	one := newClient(t, client.Registry(register(t, service("echo", a))))
	two := NewClient(client.Registry(register(t, service("echo", b))))
	mustSay(t, one, "x")
	mustSay(t, two, "x")
	if a.calls.Load() != 1 || b.calls.Load() != 1 {
		t.Errorf("%d and %d calls", a.calls.Load(), b.calls.Load())
	}
	if err := two.(io.Closer).Close(); err != nil {
		t.Fatal(err)
	}
	mustSay(t, one, "x")
	if one.Options().Selector == selector.DefaultSelector {
		t.Error("the client has the selector that others share")
	}
}

func maxSizes(n int) []grpc.CallOption {
	return []grpc.CallOption{grpc.MaxCallRecvMsgSize(n), grpc.MaxCallSendMsgSize(n)}
}

// interceptors counts the calls that pass it.
func counting(n *int) grpc.DialOption {
	return grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		*n++
		return invoker(ctx, method, req, reply, cc, opts...)
	})
}

func TestDialOptions(t *testing.T) {
	n := serve(t, echo)
	var always, once int
	c := newClient(t, client.Registry(register(t, service("echo", n))),
		func(o *client.Options) { DialOptions(counting(&always))(&o.CallOptions) })
	mustSay(t, c, "x")
	mustSay(t, c, "x")
	mustSay(t, c, "x", DialOptions(grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		once++
		return invoker(ctx, method, req, reply, cc, opts...)
	})))
	if always != 3 || once != 1 {
		t.Errorf("%d calls passed the client's interceptor, %d the call's", always, once)
	}
	testkit.Eventually(t, 5*time.Second, "the call's own connection is closed", func() bool {
		return n.conns.Load() == 2 && n.open.Load() == 1
	})
}

// shouting is a codec of a program.
type shouting struct{}

func (shouting) Name() string { return "Shout" }
func (shouting) Marshal(v any) ([]byte, error) {
	return []byte(`"` + strings.ToUpper(v.(string)) + `"`), nil
}
func (shouting) Unmarshal(b []byte, v any) error {
	*v.(*string) = strings.Trim(string(b), `"`)
	return nil
}

var _ encoding.Codec = shouting{}

func TestCodec(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))), Codec("application/json", shouting{}))
	var rsp string
	err := c.Call(t.Context(), c.NewRequest("echo", "Echo.Say", "hello", client.WithContentType("application/json")), &rsp)
	if e := fault(t, err); !strings.Contains(e.Detail, "shout") {
		t.Errorf("the codec's name did not travel: %v", e) // the server does not know it, and says so
	}
}

func TestPoolOptionsHaveNoEffect(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))), PoolMaxStreams(1), PoolMaxIdle(1), client.PoolSize(1), client.PoolTTL(1))
	mustSay(t, c, "x")
	mustSay(t, c, "x")
	if n.conns.Load() != 1 {
		t.Errorf("%d connections", n.conns.Load())
	}
}
