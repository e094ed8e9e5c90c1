// Command service greets whoever calls it.
package main

import (
	"context"
	"log"

	"github.com/rollcall-go/micro"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type Greeter struct{}

func (Greeter) Hello(_ context.Context, name, greeting *wrapperspb.StringValue) error {
	greeting.Value = "Hello, " + name.Value + "!"
	return nil
}

func main() {
	service := micro.NewService(micro.Name("greeter"))
	service.Init() // reads --registry=etcd, or MICRO_REGISTRY=etcd; mDNS if neither is given
	if err := micro.RegisterHandler(service.Server(), new(Greeter)); err != nil {
		log.Fatal(err)
	}
	if err := service.Run(); err != nil {
		log.Fatal(err)
	}
}
