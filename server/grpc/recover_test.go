package grpc_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// Exiting has a handler that ends its goroutine.
type Exiting struct{}

func (Exiting) Exit(context.Context, *currentpb.SayRequest, *currentpb.SayReply) error {
	runtime.Goexit()
	return nil
}

// Stay is called through a wrapper that does.
func (Exiting) Stay(context.Context, *currentpb.SayRequest, *currentpb.SayReply) error { return nil }

// exitingService does so as a service of protoc-gen-go-grpc.
type exitingService struct {
	currentpb.UnimplementedEchoServer
}

func (exitingService) Say(context.Context, *currentpb.SayRequest) (*currentpb.SayReply, error) {
	runtime.Goexit()
	return nil, nil
}

func TestAHandlerThatEndsItsGoroutineIsAnswered(t *testing.T) {
	f := &fixture{registry: memory.NewRegistry(), log: captureLog(t)}
	exit := func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			if req.Endpoint() == "Exiting.Stay" {
				runtime.Goexit()
			}
			return next(ctx, req, rsp)
		}
	}
	f.server = sgrpc.NewServer(server.Name("go.micro.test"), server.Address("127.0.0.1:0"), server.Registry(f.registry), sgrpc.DeregisterDelay(0), server.WrapHandler(exit))
	if err := f.server.Handle(f.server.NewHandler(Exiting{})); err != nil {
		t.Fatal(err)
	}
	currentpb.RegisterEchoServer(registrar(t, f.server), exitingService{})
	f.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, path := range []string{"/Exiting/Exit", "/Exiting/Stay", "/go.micro.test.Echo/Say", "/rollcall.test.current.Echo/Say"} {
		err := f.conn.Invoke(ctx, path, &currentpb.SayRequest{}, &currentpb.SayReply{})
		if status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "Goexit") || len(status.Convert(err).Proto().Details) != 1 {
			t.Errorf("%s: %v", path, err)
		}
	}
	if n := strings.Count(f.log.String(), "(runtime.Goexit)"); n != 4 {
		t.Errorf("%d lines, want one a call:\n%s", n, f.log)
	}
}

// A panic is one line, with its stack a few times a second.
func TestPanicsDoNotFillTheLog(t *testing.T) {
	f := start(t)
	for range 100 {
		if _, err := f.say(t.Context(), "panic"); status.Code(err) != codes.Internal {
			t.Fatal(err)
		}
	}
	log := f.log.String()
	if n := strings.Count(log, "panic recovered: boom\n") + strings.Count(log, "panic recovered: boom: at "); n != 100 {
		t.Errorf("%d lines of 100 panics", n)
	}
	if n := strings.Count(log, "fixture_test.go"); n == 0 || n > 50 {
		t.Errorf("%d stacks of 100 panics", n)
	}
}

// A stream of health that ends its goroutine is answered, and holds nothing after.
func TestAStreamOfHealthThatEndsItsGoroutineIsAnswered(t *testing.T) {
	f := newServer(t)
	healthpb.RegisterHealthServer(registrar(t, f.server), watched{do: runtime.Goexit})
	f.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	before := runtime.NumGoroutine()
	const calls = 50
	for range calls {
		watch, err := healthpb.NewHealthClient(f.conn).Watch(ctx, &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = watch.Recv()
		}
		if status.Code(err) != codes.Internal {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, 10*time.Second, "the goroutines have ended", func() bool { return runtime.NumGoroutine() < before+calls/2 })
}

// broken is a message whose own methods panic.
type broken struct{}

func (*broken) Reset()                   {}
func (*broken) String() string           { return "" }
func (*broken) ProtoMessage()            {}
func (*broken) Unmarshal([]byte) error   { panic("broken to read") }
func (*broken) Marshal() ([]byte, error) { panic("broken to write") }

// grpc decodes and encodes the messages of a service outside of its interceptors.
func TestMessagesThatPanic(t *testing.T) {
	unary := func(name string, in func() any) grpc.MethodDesc {
		return grpc.MethodDesc{MethodName: name, Handler: func(_ any, ctx context.Context, decode func(any) error, through grpc.UnaryServerInterceptor) (any, error) {
			req := in()
			if err := decode(req); err != nil {
				return nil, err
			}
			return through(ctx, req, &grpc.UnaryServerInfo{}, func(context.Context, any) (any, error) { return &broken{}, nil })
		}}
	}
	f := &fixture{registry: memory.NewRegistry(), log: captureLog(t)}
	f.server = sgrpc.NewServer(server.Name("go.micro.test"), server.Address("127.0.0.1:0"), server.Registry(f.registry), sgrpc.DeregisterDelay(0))
	registrar(t, f.server).RegisterService(&grpc.ServiceDesc{ServiceName: "demo.v1.Broken", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{
		unary("Read", func() any { return &broken{} }), unary("Write", func() any { return &currentpb.SayRequest{} }),
	}}, nil)
	f.start(t)
	for method, want := range map[string]string{"Read": "broken to read", "Write": "broken to write"} {
		err := f.conn.Invoke(t.Context(), "/demo.v1.Broken/"+method, &currentpb.SayRequest{Text: "x"}, &currentpb.SayReply{})
		if status.Code(err) != codes.Internal || !strings.HasSuffix(err.Error(), "panic recovered: "+want) {
			t.Errorf("%s: %v", method, err)
		}
		if !f.log.has("panic recovered: " + want + ": at ") {
			t.Errorf("%s: not in the log:\n%s", method, f.log)
		}
	}
}

// Repeating panics with the request, which may be of any length.
type Repeating struct{}

func (Repeating) Say(_ context.Context, in *currentpb.SayRequest, _ *currentpb.SayReply) error {
	panic(in.Text)
}

func TestLongPanicsDoNotFillTheLog(t *testing.T) {
	f := start(t)
	if err := f.server.Handle(f.server.NewHandler(Repeating{})); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		err := f.conn.Invoke(t.Context(), "/Repeating/Say", &currentpb.SayRequest{Text: strings.Repeat("x", 1<<20)}, &currentpb.SayReply{})
		if status.Code(err) != codes.Internal || len(err.Error()) > 1<<10 {
			t.Fatal(err)
		}
	}
	if n := len(f.log.String()); n > 100<<10 {
		t.Errorf("%d bytes of log of 10 panics", n)
	}
}

func TestAnInterceptorThatPanics(t *testing.T) {
	f := start(t, sgrpc.Options(grpc.ChainStreamInterceptor(func(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
		panic("boom")
	})))
	if _, err := f.say(t.Context(), "hi"); status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "panic recovered: boom") {
		t.Errorf("got %v", err)
	}
}
