// Command service is a greeter whose contract is in greeterpb.
package main

import (
	"context"
	"errors"
	"io"
	"log"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/examples/proto/greeterpb"
)

type Greeter struct{}

func (Greeter) Hello(_ context.Context, in *greeterpb.HelloRequest, out *greeterpb.HelloReply) error {
	out.Greeting = "Hello, " + in.Name + "!"
	return nil
}

func (Greeter) Party(_ context.Context, stream greeterpb.Greeter_PartyStream) error {
	for {
		guest, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&greeterpb.HelloReply{Greeting: "Welcome, " + guest.Name + "!"}); err != nil {
			return err
		}
	}
}

func main() {
	service := micro.NewService(micro.Name("greeter"))
	service.Init()
	if err := greeterpb.RegisterGreeterHandler(service.Server(), Greeter{}); err != nil {
		log.Fatal(err)
	}
	if err := service.Run(); err != nil {
		log.Fatal(err)
	}
}
