// Command client only calls: it is the client of a tutorial for go-micro v2, with
// the import path changed, and does not run its service. DEMO_ETCD is the address
// of the etcd, which a tutorial writes into the code.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/config/cmd"
	journal "github.com/rollcall-go/micro/examples/registry"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

func main() {
	cmd.DefaultRegistries["journal"] = journal.NewRegistry

	opts := []micro.Option{
		micro.Name("go.micro.client"),
	}
	if addr := os.Getenv("DEMO_ETCD"); addr != "" {
		opts = append(opts, micro.Registry(etcd.NewRegistry(
			registry.Addrs(addr),
		)))
	}
	service := micro.NewService(opts...)
	service.Init()

	greeter := legacypb.NewGreeterService("go.micro.service.demo", service.Client())
	rsp, err := greeter.Hello(context.Background(), &legacypb.HelloRequest{Name: "John"})
	if err != nil {
		logger.Fatal(err)
	}
	fmt.Println(rsp.Greeting)
}
