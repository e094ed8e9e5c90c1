package grpc_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
