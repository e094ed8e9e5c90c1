package grpc_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// standard is an Echo as protoc-gen-go-grpc has it.
type standard struct {
	currentpb.UnimplementedEchoServer
}

func (standard) Say(_ context.Context, in *currentpb.SayRequest) (*currentpb.SayReply, error) {
	switch in.Text {
	case "panic":
		panic("boom")
	case "micro":
		return nil, errors.NotFound("my.id", "nope")
	}
	return &currentpb.SayReply{Text: "standard " + in.Text}, nil
}

// greeter is a handler of code in the shape of v2's generator.
type greeter struct{}

var _ legacypb.GreeterHandler = greeter{}

func (greeter) Hello(_ context.Context, in *legacypb.HelloRequest, out *legacypb.HelloReply) error {
	out.Greeting, out.Asked = "Hello "+in.Name, in
	return nil
}
func (greeter) ReadAll(_ context.Context, in *legacypb.HelloRequest, out *legacypb.HelloReply) error {
	out.Greeting = "all of " + in.Name
	return nil
}
func (greeter) Count(_ context.Context, in *legacypb.HelloRequest, stream legacypb.Greeter_CountStream) error {
	for i := range in.Times {
		if err := stream.Send(&legacypb.HelloReply{Greeting: fmt.Sprint(i, " ", in.Name)}); err != nil {
			return err
		}
	}
	return nil
}

func TestCodeByV2sGenerator(t *testing.T) {
	f := newServer(t)
	if err := legacypb.RegisterGreeterHandler(f.server, greeter{}); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	in := &legacypb.HelloRequest{
		Name: "服务", Times: 1 << 60, Labels: map[string]string{"a": "b"},
		Who: &legacypb.HelloRequest_Number{Number: 7},
	}
	for _, contentType := range []string{"application/grpc+proto", "application/json"} {
		out := &legacypb.HelloReply{}
		err := f.conn.Invoke(t.Context(), "/go.micro.test.Greeter/Hello", in, out, clientCodec(t, contentType))
		if err != nil || out.Greeting != "Hello 服务" || out.Asked.String() != in.String() {
			t.Errorf("%s: %v, %v", contentType, out, err)
		}
	}
	out := &legacypb.HelloReply{}
	if err := f.conn.Invoke(t.Context(), "/go.micro.test.Greeter/read_all", in, out); err != nil || out.Greeting != "all of 服务" {
		t.Errorf("read_all: %v, %v", out, err)
	}
	in.Times = 3
	stream, err := f.conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/go.micro.test.Greeter/Count")
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.SendMsg(in); err != nil { // and the client does not end its side
		t.Fatal(err)
	}
	for i := range in.Times {
		if err := stream.RecvMsg(out); err != nil || out.Greeting != fmt.Sprint(i, " 服务") {
			t.Errorf("message %d: %v, %v", i, out, err)
		}
	}
	if err := stream.RecvMsg(out); err != io.EOF {
		t.Errorf("after the last message: %v", err)
	}
}

func registrar(t *testing.T, s server.Server) grpc.ServiceRegistrar {
	t.Helper()
	r, ok := s.(grpc.ServiceRegistrar)
	if !ok {
		t.Fatalf("a %T is no grpc.ServiceRegistrar", s)
	}
	return r
}

func TestStandardService(t *testing.T) {
	captureLog(t)
	f := &fixture{registry: newServer(t).registry}
	f.server = sgrpc.NewServer(server.Name("go.micro.test"), server.Address("127.0.0.1:0"), server.Registry(f.registry), sgrpc.DeregisterDelay(0))
	currentpb.RegisterEchoServer(registrar(t, f.server), standard{})
	f.start(t)
	out, err := currentpb.NewEchoClient(f.conn).Say(t.Context(), &currentpb.SayRequest{Text: "hi"})
	if err != nil || out.Text != "standard hi" {
		t.Errorf("by its own name: %v, %v", out, err)
	}
	if got, err := f.say(t.Context(), "hi"); err != nil || got != "standard hi" {
		t.Errorf("by the server's name: %q, %v", got, err)
	}
}

func TestErrorsOfAStandardService(t *testing.T) {
	f := &fixture{registry: memory.NewRegistry(), log: captureLog(t)}
	f.server = sgrpc.NewServer(server.Name("go.micro.test"), server.Address("127.0.0.1:0"), server.Registry(f.registry), sgrpc.DeregisterDelay(0))
	currentpb.RegisterEchoServer(registrar(t, f.server), standard{})
	f.start(t)
	for text, want := range map[string]codes.Code{"panic": codes.Internal, "micro": codes.NotFound} {
		if _, err := f.say(t.Context(), text); status.Code(err) != want || len(status.Convert(err).Proto().Details) != 1 {
			t.Errorf("%s: got %v, want %s and the error as a detail", text, err, want)
		}
	}
	if !f.log.has("panic recovered: boom") {
		t.Errorf("not in the log:\n%s", f.log)
	}
}

func TestHandlerGoesBeforeTheAliasOfAService(t *testing.T) {
	f := newServer(t)
	currentpb.RegisterEchoServer(registrar(t, f.server), standard{})
	f.start(t)
	if got, err := f.say(t.Context(), "hi"); err != nil || got != "hi" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestServicesThatCannotBeRegistered(t *testing.T) {
	for name, register := range map[string]func(grpc.ServiceRegistrar){
		"registered already": func(r grpc.ServiceRegistrar) {
			currentpb.RegisterEchoServer(r, standard{})
			currentpb.RegisterEchoServer(r, standard{})
		},
		"a string is no": func(r grpc.ServiceRegistrar) { r.RegisterService(&currentpb.Echo_ServiceDesc, "text") },
	} {
		f := newServer(t)
		register(registrar(t, f.server))
		if err := f.server.Start(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: Start returned %v", name, err)
			f.server.Stop()
		}
	}
	f := start(t)
	currentpb.RegisterEchoServer(registrar(t, f.server), standard{})
	if !f.log.has("level=error Server [grpc] register service") {
		t.Errorf("too late, and nothing in the log:\n%s", f.log)
	}
}

func TestHealth(t *testing.T) {
	f := start(t)
	check := func(name string) string {
		rsp, err := healthpb.NewHealthClient(f.conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
		if err != nil {
			return err.Error()
		}
		return rsp.Status.String()
	}
	if got := check(""); got != "SERVING" {
		t.Errorf("after Start: %s", got)
	}
	testkit.Eventually(t, 5*time.Second, "ready", func() bool { return check(sgrpc.Readiness) == "SERVING" })
}

func TestHealthWhileStopping(t *testing.T) {
	e := &Echo{enter: make(chan struct{}), leave: make(chan struct{})}
	f, done := startWaiting(t, e)
	watch, err := healthpb.NewHealthClient(f.conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if rsp, err := watch.Recv(); err != nil || rsp.Status != healthpb.HealthCheckResponse_SERVING {
		t.Fatalf("before: %v, %v", rsp, err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- f.server.Stop() }()
	if rsp, err := watch.Recv(); err != nil || rsp.Status != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("while stopping: %v, %v", rsp, err)
	}
	close(e.leave)
	if err := <-done; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestReflection(t *testing.T) {
	f := newServer(t)
	if err := legacypb.RegisterGreeterHandler(f.server, greeter{}); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Handle(f.server.NewHandler(Raw{})); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Handle(f.server.NewHandler(Internal{}, server.InternalHandler(true))); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	stream, err := reflectionpb.NewServerReflectionClient(f.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(req *reflectionpb.ServerReflectionRequest) *reflectionpb.ServerReflectionResponse {
		t.Helper()
		if err := stream.Send(req); err != nil {
			t.Fatal(err)
		}
		rsp, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return rsp
	}
	var names []string
	for _, s := range ask(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}).GetListServicesResponse().GetService() {
		names = append(names, s.Name)
	}
	want := "go.micro.test.Raw grpc.health.v1.Health grpc.reflection.v1.ServerReflection grpc.reflection.v1alpha.ServerReflection rollcall.test.current.Echo rollcall.test.legacy.Greeter"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("listed are %s, want %s", got, want)
	}
	for _, name := range []string{"rollcall.test.current.Echo", "rollcall.test.legacy.Greeter"} {
		rsp := ask(&reflectionpb.ServerReflectionRequest{
			MessageRequest: &reflectionpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: name},
		})
		if len(rsp.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
			t.Errorf("%s is not described: %v", name, rsp)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
	f.conn.Close()
}
