package grpc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

var insecureCredentials = grpc.WithTransportCredentials(insecure.NewCredentials())

// startWaiting starts a server with a call of Echo.Wait in flight; what the call
// returns arrives at done.
func startWaiting(t *testing.T, e *Echo, opts ...server.Option) (f *fixture, done chan error) {
	t.Helper()
	f = &fixture{registry: memory.NewRegistry(), log: captureLog(t)}
	opts = append([]server.Option{
		server.Name("go.micro.test"), server.Address("127.0.0.1:0"), server.Registry(f.registry), sgrpc.DeregisterDelay(0),
	}, opts...)
	f.server = sgrpc.NewServer(opts...)
	if err := f.server.Handle(f.server.NewHandler(e)); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Start(); err != nil {
		t.Fatal(err)
	}
	f.conn = dial(t, f.server.Options().Address, insecureCredentials)
	done = make(chan error, 1)
	go func() {
		done <- f.conn.Invoke(t.Context(), "/Echo/Wait", &currentpb.SayRequest{}, &currentpb.SayReply{})
	}()
	<-e.enter
	return f, done
}

func (f *fixture) nodes() []*registry.Node {
	services, err := f.registry.GetService("go.micro.test")
	if err != nil || len(services) == 0 {
		return nil
	}
	return services[0].Nodes
}

func (f *fixture) registered(t *testing.T) *registry.Service {
	t.Helper()
	testkit.Eventually(t, 5*time.Second, "registered", func() bool { return len(f.nodes()) == 1 })
	services, err := f.registry.GetService("go.micro.test")
	if err != nil {
		t.Fatal(err)
	}
	return services[0]
}

func TestRecord(t *testing.T) {
	f := newServer(t, server.Id("abc"), server.Metadata(map[string]string{"zone": "a", "server": "mine"}))
	if err := f.server.Handle(f.server.NewHandler(Raw{}, server.EndpointMetadata("Raw.Swap", map[string]string{"path": "/swap"}))); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Handle(f.server.NewHandler(Internal{}, server.InternalHandler(true))); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	s := f.registered(t)
	if s.Version != "latest" || s.Metadata != nil {
		t.Errorf("service is %+v", s)
	}
	n := s.Nodes[0]
	if n.Id != "go.micro.test-abc" || n.Address != f.server.Options().Address {
		t.Errorf("node is %+v", n)
	}
	md, _ := json.Marshal(n.Metadata)
	want := `{"broker":"http","protocol":"grpc","registry":"memory","rollcall":"` + defaults.Version + `","server":"grpc","transport":"grpc","zone":"a"}`
	if string(md) != want {
		t.Errorf("metadata is %s, want %s", md, want)
	}
	var names []string
	for _, e := range s.Endpoints {
		names = append(names, e.Name)
	}
	if got, want := strings.Join(names, " "), "Echo.ReadAll Echo.Say Echo.Wait Raw.Bytes Raw.Frame Raw.Swap"; got != want {
		t.Errorf("endpoints are %s, want %s", got, want)
	}
	last, _ := json.Marshal(s.Endpoints[5])
	if want := `{"name":"Raw.Swap","request":{"name":"Pair","type":"Pair","values":[{"name":"string","type":"string","values":null},{"name":"string","type":"string","values":null}]},` +
		`"response":{"name":"Pair","type":"Pair","values":[{"name":"string","type":"string","values":null},{"name":"string","type":"string","values":null}]},"metadata":{"path":"/swap"}}`; string(last) != want {
		t.Errorf("got %s\nwant %s", last, want)
	}
	id := "Registering node: go.micro.test-abc"
	testkit.Eventually(t, 5*time.Second, id, func() bool { return f.log.has("level=info Registry [memory] " + id) })
	if want := "level=info Server [grpc] Listening on " + n.Address; !f.log.has(want) {
		t.Errorf("no line %q in\n%s", want, f.log)
	}
}

// Internal is a handler that is not advertised.
type Internal struct{ Raw }

func TestAdvertise(t *testing.T) {
	f := start(t, server.Advertise("example.com:81"))
	if got := f.registered(t).Nodes[0].Address; got != "example.com:81" {
		t.Errorf("the address is %q", got)
	}
}

// witness notes which nodes are registered under an id that was generated.
type witness struct {
	registry.Registry
	mu        sync.Mutex
	generated map[string]bool
}

func (w *witness) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	var o registry.RegisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.generated[s.Nodes[0].Id] = ability.Generated(o.Context)
	return w.Registry.Register(s, opts...)
}

func TestGeneratedIdsDiffer(t *testing.T) {
	w := &witness{Registry: memory.NewRegistry(), generated: map[string]bool{}}
	a, b, c := newServer(t, server.Registry(w)), newServer(t, server.Registry(w)), newServer(t, server.Registry(w), server.Id("given"))
	if err := b.server.Init(server.Id("")); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, f := range []*fixture{a, b, c} {
		f.start(t)
		id := f.server.Options().Id
		if want["go.micro.test-"+id] {
			t.Errorf("two servers have the id %s", id)
		}
		want["go.micro.test-"+id] = id != "given"
	}
	testkit.Eventually(t, 5*time.Second, "all registered", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.generated) == 3
	})
	if !maps.Equal(w.generated, want) {
		t.Errorf("generated are %v, want %v", w.generated, want)
	}
}

func TestEmptyOptionsMeanTheDefaults(t *testing.T) {
	f := newServer(t)
	if err := f.server.Init(server.Name(""), server.Version(""), server.Id(""), server.Address("")); err != nil {
		t.Fatal(err)
	}
	if o := f.server.Options(); o.Name != "go.micro.server" || o.Version != "latest" || o.Id == "" || o.Address != ":0" || o.Registry != f.registry {
		t.Errorf("options are %+v", o)
	}
}

// stuck is a registry that does not answer until told to.
type stuck struct {
	registry.Registry
	answer chan struct{}
}

func (s stuck) Register(svc *registry.Service, opts ...registry.RegisterOption) error {
	<-s.answer
	return s.Registry.Register(svc, opts...)
}

func TestServesWhileTheRegistryIsStuck(t *testing.T) {
	r := stuck{memory.NewRegistry(), make(chan struct{})}
	f := newServer(t, server.Registry(r))
	f.registry = r
	started := make(chan error, 1)
	go func() { started <- f.server.Start() }()
	listening := "Listening on "
	testkit.Eventually(t, 5*time.Second, "listening", func() bool { return f.log.has(listening) })
	_, address, _ := strings.Cut(f.log.String(), listening)
	address, _, _ = strings.Cut(address, "\n")
	out := &currentpb.SayReply{}
	if err := dial(t, address, insecureCredentials).Invoke(t.Context(), "/Echo/Say", &currentpb.SayRequest{Text: "hi"}, out); err != nil || out.Text != "hi" {
		t.Errorf("while Start waits: %q, %v", out.Text, err)
	}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.server.Stop() })
	ready := f.server.(interface{ Ready() error })
	if ready.Ready() == nil || f.log.has("Registering node") {
		t.Error("the server says that it is registered")
	}
	close(r.answer)
	f.registered(t)
	testkit.Eventually(t, 5*time.Second, "ready", func() bool { return ready.Ready() == nil })
}

func TestStartTwice(t *testing.T) {
	f := start(t)
	if err := f.server.Start(); err != nil {
		t.Error(err)
	}
	if _, err := f.say(t.Context(), "hi"); err != nil {
		t.Error(err)
	}
}

func TestInitWhileRunning(t *testing.T) {
	f := start(t, server.RegisterInterval(10*time.Millisecond))
	f.registered(t)
	address := f.server.Options().Address
	wrapped := func(server.HandlerFunc) server.HandlerFunc {
		return func(context.Context, server.Request, any) error { return fmt.Errorf("wrapped") }
	}
	if err := f.server.Init(server.Metadata(map[string]string{"zone": "b"}), server.WrapHandler(wrapped)); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 5*time.Second, "new metadata", func() bool {
		n := f.nodes()
		return len(n) == 1 && n[0].Metadata["zone"] == "b"
	})
	if _, err := f.say(t.Context(), "hi"); status.Convert(err).Message() != "wrapped" {
		t.Errorf("the new wrapper is not used: %v", err)
	}
	for name, o := range map[string]server.Option{
		"Name": server.Name("x"), "Id": server.Id("x"), "Address": server.Address(":0"),
		"Registry": server.Registry(memory.NewRegistry()), "server/grpc": sgrpc.MaxMsgSize(7), "RegisterTTL": server.RegisterTTL(time.Hour),
	} {
		if err := f.server.Init(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s was changed: %v", name, err)
		}
	}
	if got := f.server.Options(); got.Address != address || got.Name != "go.micro.test" {
		t.Errorf("options are %+v", got)
	}
	if err := f.server.Stop(); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("the port still answers")
	}
}

// What changes while the server runs is registered at once, not at the re-check.
func TestChangesAreRegisteredAtOnce(t *testing.T) {
	f := start(t, server.RegisterInterval(time.Hour), server.RegisterTTL(time.Hour))
	f.registered(t)
	for _, zone := range []string{"a", "b"} {
		if err := f.server.Init(server.Metadata(map[string]string{"zone": zone})); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, 5*time.Second, "the metadata are registered", func() bool {
			return f.registered(t).Nodes[0].Metadata["zone"] == zone
		})
	}
	if err := f.server.Handle(f.server.NewHandler(Raw{})); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 5*time.Second, "the handler is registered", func() bool { return len(f.registered(t).Endpoints) == 6 })
}

func TestHandleWhileRunning(t *testing.T) {
	f := start(t, server.RegisterInterval(10*time.Millisecond))
	if err := f.server.Handle(f.server.NewHandler(Raw{})); err != nil {
		t.Fatal(err)
	}
	var out Pair
	if err := f.conn.Invoke(t.Context(), "/Raw/Swap", Pair{"l", "r"}, &out, clientCodec(t, "application/json")); err != nil || out.Left != "r" {
		t.Errorf("got %v, %v", out, err)
	}
	testkit.Eventually(t, 5*time.Second, "registered with it", func() bool { return len(f.registered(t).Endpoints) == 6 })
}

// Wrong has one method of a wrong signature.
type Wrong struct{ Raw }

func (Wrong) Sum(a, b int) int { return a + b }

func TestHandlersThatAreWrong(t *testing.T) {
	f := newServer(t)
	for _, v := range []any{nil, struct{}{}, &Echo{}, 7} {
		if err := f.server.Handle(f.server.NewHandler(v)); err == nil {
			t.Errorf("%T was handled", v)
		}
	}
	if err := f.server.Handle(f.server.NewHandler(Wrong{})); err != nil {
		t.Fatal(err)
	}
	if !f.log.has("level=error Server [grpc] Method Wrong.Sum cannot be called") {
		t.Errorf("not in the log:\n%s", f.log)
	}
	f.start(t)
	err := f.conn.Invoke(t.Context(), "/Wrong/Sum", &currentpb.SayRequest{}, &currentpb.SayReply{})
	if status.Convert(err).Message() != "unknown service Wrong.Sum" {
		t.Errorf("got %v", err)
	}
}

func TestWhatCannotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, o := range map[string]server.Option{
		taken.Addr().String(): server.Address(taken.Addr().String()),
		"nonsense":            server.Address("nonsense"),
		`"x\r"`:               server.Name("x\r"),
		`"a\nb"`:              server.Name("a\nb"),
		`" a"`:                server.Name(" a"),
		`"1\x1b[2J"`:          server.Version("1\x1b[2J"),
		`i\n1"`:               server.Id("i\n1"),
		"no registry":         server.Registry(nil),
		"no registry chosen":  server.Registry(registry.NewRegistry()),
	} {
		f := newServer(t, o)
		if err := f.server.Start(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: Start returned %v", name, err)
		}
	}
}

func TestListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, sgrpc.Listener(l), sgrpc.MaxConn(2), server.Address("192.0.2.1:1"))
	if got, err := f.say(t.Context(), "hi"); err != nil || got != "hi" {
		t.Errorf("got %q, %v", got, err)
	}
	if got := f.server.Options().Address; got != l.Addr().String() {
		t.Errorf("the address is %s", got)
	}
}

func TestListenerThatFailsIsNotRegistered(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, sgrpc.Listener(l), server.RegisterInterval(10*time.Millisecond))
	f.registered(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 5*time.Second, "not registered", func() bool { return len(f.nodes()) == 0 })
}

func TestGrpcOptions(t *testing.T) {
	var saw string
	f := start(t, sgrpc.Options(grpc.StreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, h grpc.StreamHandler) error {
		saw = info.FullMethod
		return h(srv, s)
	})))
	if _, err := f.say(t.Context(), "hi"); err != nil || saw != "/go.micro.test.Echo/Say" {
		t.Errorf("the interceptor saw %q, %v", saw, err)
	}
}

func TestConstructorOfTheContract(t *testing.T) {
	if got := server.NewServer().String(); got != "grpc" {
		t.Errorf("server.NewServer makes a %q", got)
	}
}

// Who waits for the start hears from health that the server is registered.
func TestStartedMeansReady(t *testing.T) {
	for range 50 {
		f := newServer(t).start(t)
		rsp, err := healthpb.NewHealthClient(f.conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: sgrpc.Readiness})
		if err != nil || rsp.Status != healthpb.HealthCheckResponse_SERVING {
			t.Fatalf("health: %v, %v", rsp, err)
		}
	}
}
