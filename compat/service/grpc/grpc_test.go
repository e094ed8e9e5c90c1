package grpc_test

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/compat/service"
	"github.com/rollcall-go/micro/compat/service/grpc"
	mtls "github.com/rollcall-go/micro/compat/util/tls"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
)

type greeter struct{ legacypb.GreeterHandler }

func (greeter) Hello(_ context.Context, in *legacypb.HelloRequest, out *legacypb.HelloReply) error {
	out.Greeting = "hello " + in.Name
	return nil
}

// call runs the service until it has answered one call.
func call(t *testing.T, opts ...service.Option) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := make(chan struct{})
	order := ""
	note := func(what string) func() error {
		return func() error {
			order += what + " "
			return nil
		}
	}
	s := grpc.NewService(append(opts, service.Name("shop"), service.Registry(memory.NewRegistry()), service.Address("127.0.0.1:0"), service.Context(ctx),
		service.BeforeStart(note("before")), service.AfterStop(note("stopped")),
		service.WrapHandler(func(h server.HandlerFunc) server.HandlerFunc {
			return func(ctx context.Context, req server.Request, rsp any) error {
				order += req.Endpoint() + " "
				return h(ctx, req, rsp)
			}
		}))...)
	s.Init(service.AfterStart(func() error {
		close(started)
		return nil
	}))
	if err := legacypb.RegisterGreeterHandler(s.Server(), greeter{}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run() }()
	select {
	case <-started:
	case err := <-ended:
		t.Fatal(err)
	}
	rsp, err := legacypb.NewGreeterService("shop", s.Client()).Hello(ctx, &legacypb.HelloRequest{Name: "you"})
	if err != nil || rsp.Greeting != "hello you" {
		t.Errorf("answered %v, %v", rsp, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if order != "before Greeter.Hello stopped " || s.Name() != "shop" || s.String() != "grpc" {
		t.Errorf("%s, a %s, went through %q", s.Name(), s, order)
	}
	if c, ok := s.Client().(interface{ Close() error }); ok {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestService(t *testing.T) { call(t) }

func TestServiceWithTLS(t *testing.T) {
	cert, err := mtls.Certificate("shop")
	if err != nil {
		t.Fatal(err)
	}
	call(t, grpc.WithTLS(&tls.Config{Certificates: []tls.Certificate{cert}, InsecureSkipVerify: true}))
}

// refusing takes no options.
type refusing struct{ client.Client }

var errRefused = errors.New("refused")

func (refusing) Init(...client.Option) error { return errRefused }

func TestWhatAPartRefusesEndsRun(t *testing.T) {
	s := grpc.NewService(service.Client(refusing{client.DefaultClient}), service.Registry(memory.NewRegistry()))
	if err := s.Run(); !errors.Is(err, errRefused) {
		t.Errorf("Run: %v", err)
	}
}
