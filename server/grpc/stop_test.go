//lint:file-ignore SA1019 v1alpha is deprecated, and what it is for are tools that speak nothing else

package grpc_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	alphapb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// Streams that would never end by themselves end with the server.
func TestStopEndsStreamsOfHealthAndReflection(t *testing.T) {
	f := newServer(t, sgrpc.StopGrace(time.Minute))
	if err := f.server.Start(); err != nil {
		t.Fatal(err)
	}
	f.conn = dial(t, f.server.Options().Address, insecureCredentials)
	var ends []func() error
	for _, service := range []string{"", sgrpc.Readiness, "unknown"} {
		watch, err := healthpb.NewHealthClient(f.conn).Watch(t.Context(), &healthpb.HealthCheckRequest{Service: service})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := watch.Recv(); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, func() error {
			if service != "unknown" {
				if rsp, err := watch.Recv(); err != nil || rsp.Status != healthpb.HealthCheckResponse_NOT_SERVING {
					t.Errorf("health of %q: %v, %v, want NOT_SERVING", service, rsp, err)
				}
			}
			_, err := watch.Recv()
			return err
		})
	}
	v1, err := reflectionpb.NewServerReflectionClient(f.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v1alpha, err := alphapb.NewServerReflectionClient(f.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := v1alpha.Send(&alphapb.ServerReflectionRequest{MessageRequest: &alphapb.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	rsp, err := v1alpha.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range rsp.GetListServicesResponse().GetService() {
		names = append(names, s.Name)
	}
	if got := slices.Compact(slices.Sorted(slices.Values(names))); len(got) != len(names) || !slices.Contains(names, "rollcall.test.current.Echo") {
		t.Errorf("v1alpha lists %q", names)
	}
	ends = append(ends, func() error { _, err := v1.Recv(); return err }, func() error { _, err := v1alpha.Recv(); return err })

	begun := time.Now()
	if err := f.server.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("the stop took %v: the streams held it up", took)
	}
	for i, end := range ends {
		if err := end(); status.Code(err) != codes.Unavailable {
			t.Errorf("stream %d: %v", i, err)
		}
	}
}

// A health service that the program brought holds up no stop either.
func TestStopEndsStreamsOfHealthThatTheProgramBrought(t *testing.T) {
	f := newServer(t, sgrpc.StopGrace(time.Minute))
	brought := health.NewServer()
	healthpb.RegisterHealthServer(registrar(t, f.server), brought)
	if err := f.server.Start(); err != nil {
		t.Fatal(err)
	}
	f.conn = dial(t, f.server.Options().Address, insecureCredentials)
	watch, err := healthpb.NewHealthClient(f.conn).Watch(t.Context(), &healthpb.HealthCheckRequest{Service: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	if rsp, err := watch.Recv(); err != nil || rsp.Status != healthpb.HealthCheckResponse_SERVICE_UNKNOWN {
		t.Errorf("not the program's: %v, %v", rsp, err)
	}
	begun := time.Now()
	if err := f.server.Stop(); err != nil || time.Since(begun) > 10*time.Second {
		t.Errorf("stop after %v: %v", time.Since(begun), err)
	}
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the watch: %v", err)
	}
}

func TestStopRunsItsFunctionsInOrder(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	e := &Echo{enter: make(chan struct{}), leave: make(chan struct{})}
	var f *fixture
	note := func(what string) func() error {
		return func() error {
			mu.Lock()
			defer mu.Unlock()
			registered := "registered"
			if len(f.nodes()) == 0 {
				registered = "not registered"
			}
			seen = append(seen, what+": "+registered)
			return errors.New("from " + what)
		}
	}
	f, done := startWaiting(t, e,
		server.AfterDrain(note("drained")), server.AfterDeregister(note("deregistered")), server.AfterDeregister(func() error {
			close(e.leave) // the call in flight goes on until here
			return nil
		}),
		server.BeforeDeregister(note("before 1")), server.BeforeDeregister(note("before 2")))
	err := f.server.Stop()
	for _, want := range []string{"from before 1", "from before 2", "from deregistered", "from drained"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("stop: %v, want it to say %q", err, want)
		}
	}
	if err := <-done; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	want := []string{"before 1: registered", "before 2: registered", "deregistered: not registered", "drained: not registered"}
	if !slices.Equal(seen, want) {
		t.Errorf("ran %q, want %q", seen, want)
	}
}

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
	if !f.log.has("runtime.Goexit") {
		t.Errorf("not in the log:\n%s", f.log)
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

func TestReflectionSwitchedOff(t *testing.T) {
	f := start(t, sgrpc.Reflection(false))
	v1, err := reflectionpb.NewServerReflectionClient(f.conn).ServerReflectionInfo(t.Context())
	if err == nil {
		_, err = v1.Recv()
	}
	v1alpha, err2 := alphapb.NewServerReflectionClient(f.conn).ServerReflectionInfo(t.Context())
	if err2 == nil {
		_, err2 = v1alpha.Recv()
	}
	if status.Code(err) != codes.Unimplemented || status.Code(err2) != codes.Unimplemented {
		t.Errorf("v1: %v, v1alpha: %v", err, err2)
	}
}
