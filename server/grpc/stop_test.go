//lint:file-ignore SA1019 v1alpha is deprecated, and what it is for are tools that speak nothing else

package grpc_test

import (
	"errors"
	"fmt"
	"net"
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

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/registry"
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

// watched is a health service whose streams do what the test says.
type watched struct {
	healthpb.UnimplementedHealthServer
	do func()
}

func (w watched) Watch(_ *healthpb.HealthCheckRequest, stream healthpb.Health_WatchServer) error {
	if err := stream.Send(&healthpb.HealthCheckResponse{}); err != nil {
		return err
	}
	w.do()
	return nil
}

// One that does not heed its context is left behind.
func TestStopLeavesAStreamOfHealthThatDoesNotEnd(t *testing.T) {
	for _, grace := range []time.Duration{0, time.Minute} {
		f := newServer(t, sgrpc.StopGrace(grace))
		leave := make(chan struct{})
		defer close(leave)
		healthpb.RegisterHealthServer(registrar(t, f.server), watched{do: func() { <-leave }})
		if err := f.server.Start(); err != nil {
			t.Fatal(err)
		}
		watch, err := healthpb.NewHealthClient(dial(t, f.server.Options().Address, insecureCredentials)).Watch(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := watch.Recv(); err != nil {
			t.Fatal(err)
		}
		stopped := make(chan error, 1)
		go func() { stopped <- f.server.Stop() }()
		select {
		case err := <-stopped:
			if err != nil {
				t.Errorf("stop with a grace of %v: %v", grace, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("the stop with a grace of %v waits for the handler", grace)
		}
	}
}

// Waiter is Echo under another name.
type Waiter struct{ *Echo }

// The handlers beside a service without an implementation are waited for like all.
func TestStopWaitsForHandlersBesideAServiceOfNil(t *testing.T) {
	e := &Echo{enter: make(chan struct{}), leave: make(chan struct{})}
	f := generated(t, sgrpc.StopGrace(time.Minute), server.AfterDeregister(func() error {
		// The streams of health end after this, and nothing else does.
		time.AfterFunc(100*time.Millisecond, func() { close(e.leave) })
		return nil
	}))
	if err := f.server.Handle(f.server.NewHandler(&Waiter{e})); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- f.conn.Invoke(t.Context(), "/Waiter/Wait", &currentpb.SayRequest{}, &currentpb.SayReply{})
	}()
	<-e.enter
	if err := f.server.Stop(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Errorf("the call in flight: %v", err)
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

func TestStopDeregistersFirst(t *testing.T) {
	e := &Echo{enter: make(chan struct{}), leave: make(chan struct{})}
	f, done := startWaiting(t, e)
	f.registered(t)
	stopped := make(chan error, 2)
	for range 2 {
		go func() { stopped <- f.server.Stop() }()
	}
	testkit.Eventually(t, 5*time.Second, "deregistered", func() bool { return len(f.nodes()) == 0 })
	select {
	case err := <-stopped:
		t.Errorf("stopped with a call in flight: %v", err)
	default:
	}
	close(e.leave)
	if err := <-done; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	for range 2 {
		if err := <-stopped; err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	if !f.log.has("level=info Deregistering node: go.micro.test-") {
		t.Errorf("no line of it:\n%s", f.log)
	}
	if err := f.server.Stop(); err != nil {
		t.Errorf("stop again: %v", err)
	}
	if err := f.server.Start(); err == nil {
		t.Error("started again")
	}
}

func TestStopCutsOffAfterTheGrace(t *testing.T) {
	e := &Echo{enter: make(chan struct{}), leave: make(chan struct{})}
	f, done := startWaiting(t, e, sgrpc.StopGrace(10*time.Millisecond))
	if err := f.server.Stop(); err == nil || !strings.Contains(err.Error(), "10ms") {
		t.Errorf("stop: %v", err)
	}
	if err := <-done; status.Code(err) != codes.Unavailable {
		t.Errorf("the call in flight: %v", err)
	}
}

func TestStopWithoutGrace(t *testing.T) {
	e := &Echo{enter: make(chan struct{}), leave: make(chan struct{})}
	f, done := startWaiting(t, e, sgrpc.StopGrace(0))
	if err := f.server.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := <-done; status.Code(err) != codes.Unavailable {
		t.Errorf("the call in flight: %v", err)
	}
}

func TestStopWaitsForTheGroup(t *testing.T) {
	var wg sync.WaitGroup
	f := start(t, server.Wait(&wg))
	if _, err := f.say(t.Context(), "hi"); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	wg.Add(1)
	stopped := make(chan error, 1)
	go func() { stopped <- f.server.Stop() }()
	testkit.Eventually(t, 5*time.Second, "closed", func() bool {
		c, err := net.Dial("tcp", f.server.Options().Address)
		if err != nil {
			return true
		}
		c.Close()
		return false
	})
	select {
	case err := <-stopped:
		t.Errorf("stopped before the group was done: %v", err)
	default:
	}
	wg.Done()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestStopWithoutStart(t *testing.T) {
	if err := newServer(t).server.Stop(); err != nil {
		t.Error(err)
	}
}

func TestDeregisterDelay(t *testing.T) {
	const delay = 50 * time.Millisecond
	f := newServer(t, sgrpc.DeregisterDelay(delay))
	if err := f.server.Start(); err != nil {
		t.Fatal(err)
	}
	f.registered(t)
	testkit.Eventually(t, 5*time.Second, "ready", func() bool { return f.server.(interface{ Ready() error }).Ready() == nil })
	begin := time.Now()
	if err := f.server.Stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took < delay {
		t.Errorf("Stop took %v, less than the delay", took)
	}
}

// faithful is a registry that does not let anybody go.
type faithful struct{ registry.Registry }

func (faithful) Deregister(*registry.Service, ...registry.DeregisterOption) error {
	return fmt.Errorf("you stay")
}

func TestStopWithoutBeingLetGo(t *testing.T) {
	f := newServer(t, server.Registry(faithful{memory.NewRegistry()}))
	if err := f.server.Start(); err != nil {
		t.Fatal(err)
	}
	ready := f.server.(interface{ Ready() error })
	testkit.Eventually(t, 5*time.Second, "ready", func() bool { return ready.Ready() == nil })
	if err := f.server.Stop(); err == nil || !strings.Contains(err.Error(), "you stay") {
		t.Errorf("stop: %v", err)
	}
	if c, err := net.Dial("tcp", f.server.Options().Address); err == nil {
		c.Close()
		t.Error("the port still answers")
	}
}
