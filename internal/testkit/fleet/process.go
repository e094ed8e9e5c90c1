package fleet

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/micropb/kinds"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// nodeVariable makes a test binary a node: its value says how many times the
// service calls Init.
const nodeVariable = "ROLLCALL_FLEET_NODE"

// graceVariable says how long a node waits for its calls when it stops; without it,
// as long as any.
const graceVariable = "ROLLCALL_FLEET_GRACE"

// ProcessName is the name of the services that Process starts.
const ProcessName = "node"

// callerVariable makes a test binary a caller: its value is the name of the service.
const callerVariable = "ROLLCALL_FLEET_CALLER"

// Main is the TestMain of a package that starts nodes or callers as processes: the
// package's own test binary is their program. Tests are run by run, testkit.Main
// for one.
func Main(m *testing.M, run func(*testing.M)) {
	var err error
	if inits := os.Getenv(nodeVariable); inits != "" {
		err = runNode(inits)
	} else if service := os.Getenv(callerVariable); service != "" {
		err = runCaller(service)
	} else if pause := os.Getenv(mixerVariable); pause != "" {
		err = runMixer(pause)
	} else {
		run(m)
	}
	if err != nil {
		logger.Fatal(err)
	}
}

// runNode is a process that is a node and nothing else. Its flags are those of
// every service.
func runNode(inits string) error {
	n, err := strconv.Atoi(inits)
	if err != nil {
		return err
	}
	var load counts
	s := micro.NewService(micro.Name(ProcessName), micro.Address("127.0.0.1:0"), micro.WrapHandler(load.count))
	opts := []server.Option{sgrpc.Options(grpc.StatsHandler(&load))}
	if text := os.Getenv(graceVariable); text != "" {
		grace, err := time.ParseDuration(text)
		if err != nil {
			return err
		}
		opts = append(opts, sgrpc.StopGrace(grace))
	}
	if err := s.Server().Init(opts...); err != nil {
		return err
	}
	for range n {
		s.Init()
	}
	for _, h := range []any{&Echo{node: s.Name() + "-" + s.Server().Options().Id}, &Raw{}, &Counts{&load}} {
		if err := micro.RegisterHandler(s.Server(), h); err != nil {
			return err
		}
	}
	if err := kinds.RegisterTalkHandler(s.Server(), Talk{}); err != nil {
		return err
	}
	return s.Run()
}

// Process starts a node, of the service ProcessName, in a process of its own with
// these flags. It is killed at the end of the test at the latest.
func Process(t testing.TB, flags ...string) *testkit.Process {
	t.Helper()
	return testkit.StartProcess(t, AsNode(exec.Command(os.Args[0], flags...), 1))
}

// AsNode makes a command that runs this test binary a node that calls Init so many
// times.
func AsNode(cmd *exec.Cmd, inits int) *exec.Cmd {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, nodeVariable+"="+strconv.Itoa(inits))
	return cmd
}

// Patient is Process of a node that waits so long for its calls when it stops.
func Patient(t testing.TB, grace time.Duration, flags ...string) *testkit.Process {
	t.Helper()
	cmd := AsNode(exec.Command(os.Args[0], flags...), 1)
	cmd.Env = append(cmd.Env, graceVariable+"="+grace.String())
	return testkit.StartProcess(t, cmd)
}

// How a caller of a process of its own calls.
const (
	callers     = 8
	callEvery   = 40 * time.Millisecond // each
	callTimeout = 3 * time.Second
)

// runCaller is a process that calls a service until SIGTERM, and then says what
// became of the calls.
func runCaller(service string) error {
	s := micro.NewService(micro.Name("caller"))
	s.Init()
	stop, done := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer done()
	for Say(stop, s.Client(), service) != nil && stop.Err() == nil {
		wait(stop, 100*time.Millisecond)
	}
	load := startLoad(s.Client(), service, callers, callEvery, []client.CallOption{client.WithRequestTimeout(callTimeout)})
	fmt.Println("calling")
	<-stop.Done()
	load.Stop()
	fmt.Printf("result: %v; first failure: %v\n", load, load.Err())
	return nil
}

// AsCaller makes a command that runs this test binary a caller of the service. It
// says "calling" when it has begun, and "result: ..." when it was asked to end.
func AsCaller(cmd *exec.Cmd, service string) *exec.Cmd {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, callerVariable+"="+service)
	return cmd
}
