package e2e

import (
	"context"
	stderrors "errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// timeout bounds one operation of the registries in these tests.
const timeout = 2 * time.Second

// Text is what Echo receives and sends, as JSON.
type Text struct{ Text string }

// Echo answers with the text it gets, and says who it is.
type Echo struct{ node string }

func (e *Echo) Say(_ context.Context, req, rsp *Text) error {
	rsp.Text = req.Text
	return nil
}

func (e *Echo) Who(_ context.Context, _, rsp *Text) error {
	rsp.Text = e.node
	return nil
}

func (e *Echo) Missing(_ context.Context, req, _ *Text) error {
	return errors.NotFound("echo", "no %s here", req.Text)
}

func (e *Echo) Panic(context.Context, *Text, *Text) error { panic("out of cheese") }

func (e *Echo) Big(_ context.Context, _, rsp *Text) error {
	rsp.Text = strings.Repeat("x", 5<<20)
	return nil
}

// Wrong is not of a form that can be called.
func (e *Echo) Wrong(a, b int) int { return a + b }

// Greeter is served by code of v2's generator.
type Greeter struct{}

func (Greeter) Hello(_ context.Context, req *legacypb.HelloRequest, rsp *legacypb.HelloReply) error {
	rsp.Greeting, rsp.Asked = "Hello "+req.Name, req
	return nil
}

func (Greeter) ReadAll(context.Context, *legacypb.HelloRequest, *legacypb.HelloReply) error {
	return nil
}

func (Greeter) Count(context.Context, *legacypb.HelloRequest, legacypb.Greeter_CountStream) error {
	return nil
}

// openRegistry returns a registry in the etcd at addr, closed with the test.
func openRegistry(t *testing.T, addr string, opts ...registry.Option) registry.Registry {
	t.Helper()
	r := etcd.NewRegistry(append([]registry.Option{registry.Addrs(addr), registry.Timeout(timeout)}, opts...)...)
	t.Cleanup(func() { closePart(t, r) })
	return r
}

func closePart(t *testing.T, part any) {
	t.Helper()
	if err := part.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
}

// newClient returns the client of a service that is not run.
func newClient(t *testing.T, r registry.Registry) client.Client {
	t.Helper()
	c := cgrpc.NewClient()
	t.Cleanup(func() { closePart(t, c) })
	return micro.NewService(micro.Name("caller"), micro.Registry(r), micro.Client(c), micro.Server(sgrpc.NewServer())).Client()
}

// node is a running service with parts of its own, as if it were a process.
type node struct {
	micro.Service
	server  server.Server
	began   time.Time
	started chan struct{} // closed when it listens
	stop    func() error
}

// start runs a service of the name, with the options, until the test ends. It
// returns when the service listens. Its registry is closed by whoever opened it.
func start(t *testing.T, name string, r registry.Registry, opts ...micro.Option) *node {
	t.Helper()
	return startServer(t, name, r, nil, opts...)
}

func startServer(t *testing.T, name string, r registry.Registry, settings []server.Option, opts ...micro.Option) *node {
	t.Helper()
	id := uuid.NewString()
	n := &node{
		server:  sgrpc.NewServer(append([]server.Option{server.Id(id), sgrpc.DeregisterDelay(0)}, settings...)...),
		started: make(chan struct{}),
	}
	c := cgrpc.NewClient()
	ctx, cancel := context.WithCancel(context.Background())
	n.Service = micro.NewService(append([]micro.Option{
		micro.Name(name), micro.Address("127.0.0.1:0"), micro.Registry(r), micro.HandleSignal(false),
		micro.Server(n.server), micro.Client(c), micro.Context(ctx),
		micro.AfterStart(func() error { close(n.started); return nil }),
	}, opts...)...)
	if err := micro.RegisterHandler(n.server, &Echo{node: n.Service.Name() + "-" + n.server.Options().Id}); err != nil {
		t.Fatal(err)
	}
	if err := legacypb.RegisterGreeterHandler(n.server, Greeter{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	n.began = time.Now()
	go func() { done <- n.Run() }()
	n.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		// What a registry that is away says about leaving is looked at by the tests
		// that are about it.
		if err := n.stop(); err != nil {
			t.Logf("stop %s: %v", name, err)
		}
		closePart(t, c)
	})
	select {
	case <-n.started:
	case err := <-done:
		done <- nil
		t.Fatalf("run %s: %v", name, err)
	}
	return n
}

func (n *node) id() string      { return n.Name() + "-" + n.server.Options().Id }
func (n *node) address() string { return n.server.Options().Address }

// ready returns why the node is not registered, nil if it is.
func (n *node) ready() error { return n.server.(interface{ Ready() error }).Ready() }

// health returns what the gRPC health service of the node says.
func (n *node) health(t *testing.T, service string) string {
	t.Helper()
	c, err := grpc.NewClient(n.address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r, err := grpc_health_v1.NewHealthClient(c).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
	if err != nil {
		t.Fatalf("ask for the health of %q: %v", service, err)
	}
	return r.Status.String()
}

// say calls Echo.Say of a service.
func say(ctx context.Context, c client.Client, service, text string, opts ...client.CallOption) (string, error) {
	return echo(ctx, c, service, "Say", text, opts...)
}

func echo(ctx context.Context, c client.Client, service, method, text string, opts ...client.CallOption) (string, error) {
	var rsp Text
	err := c.Call(ctx, c.NewRequest(service, "Echo."+method, &Text{text}, client.WithContentType("application/json")), &rsp, opts...)
	return rsp.Text, err
}

// mustSay calls Echo.Say and fails the test if that does.
func mustSay(t *testing.T, c client.Client, service string, opts ...client.CallOption) {
	t.Helper()
	text := uuid.NewString()
	if got, err := say(t.Context(), c, service, text, opts...); err != nil || got != text {
		t.Fatalf("call %s: got %q, %v", service, got, err)
	}
}

// ids returns the nodes of a service as a registry has them.
func ids(r registry.Registry, service string) (map[string]bool, error) {
	services, err := r.GetService(service)
	if stderrors.Is(err, registry.ErrNotFound) {
		err = nil
	}
	all := map[string]bool{}
	for _, s := range services {
		for _, n := range s.Nodes {
			all[n.Id] = true
		}
	}
	return all, err
}

// until waits for the node to be registered and returns how long after since that
// was.
func (n *node) until(t *testing.T, since time.Time, within time.Duration) time.Duration {
	t.Helper()
	testkit.Eventually(t, within+5*time.Second, n.id()+" is registered", func() bool { return n.ready() == nil })
	took := time.Since(since)
	if took > within {
		t.Errorf("registered after %v, want at most %v", took, within)
	}
	return took
}

// dials tells whether somebody listens on addr.
func dials(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
