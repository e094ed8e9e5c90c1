// Command service is the service of a tutorial for go-micro v2, with the import
// path changed. The tests tell it by environment variables what a tutorial writes
// into the code: DEMO_ETCD is the address of the etcd, DEMO_ADDRESS where to
// listen.
package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/config/cmd"
	journal "github.com/rollcall-go/micro/examples/registry"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// Greeter serves what the generated code asks for.
type Greeter struct{}

// Hello greets, after as many milliseconds as Times says.
func (g *Greeter) Hello(ctx context.Context, req *legacypb.HelloRequest, rsp *legacypb.HelloReply) error {
	wait := time.NewTimer(time.Duration(req.Times) * time.Millisecond)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	rsp.Greeting = "Hello " + req.Name
	return nil
}

// ReadAll greets at once.
func (g *Greeter) ReadAll(_ context.Context, req *legacypb.HelloRequest, rsp *legacypb.HelloReply) error {
	rsp.Greeting = "Hello all of " + req.Name
	return nil
}

// Count would stream.
func (g *Greeter) Count(context.Context, *legacypb.HelloRequest, legacypb.Greeter_CountStream) error {
	return errors.New("streams come later")
}

func main() {
	cmd.DefaultRegistries["journal"] = journal.NewRegistry

	opts := []micro.Option{
		micro.Name("go.micro.service.demo"),
		micro.Version("latest"),
		micro.Address(os.Getenv("DEMO_ADDRESS")),
	}
	if addr := os.Getenv("DEMO_ETCD"); addr != "" {
		opts = append(opts, micro.Registry(etcd.NewRegistry(
			registry.Addrs(addr),
		)))
	}
	service := micro.NewService(opts...)
	service.Init()

	if err := legacypb.RegisterGreeterHandler(service.Server(), new(Greeter)); err != nil {
		logger.Fatal(err)
	}
	if err := service.Run(); err != nil {
		logger.Fatal(err)
	}
}
