// Command client calls the greeter by its name, once and in a stream.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/examples/proto/greeterpb"
)

func main() {
	service := micro.NewService(micro.Name("greeter.client"))
	service.Init()
	greeter := greeterpb.NewGreeterService("greeter", service.Client())
	if err := visit(context.Background(), greeter); err != nil {
		log.Fatal(err)
	}
}

func visit(ctx context.Context, greeter greeterpb.GreeterService) error {
	reply, err := greeter.Hello(ctx, &greeterpb.HelloRequest{Name: "John"})
	if err != nil {
		return err
	}
	fmt.Println(reply.Greeting)

	party, err := greeter.Party(ctx)
	if err != nil {
		return err
	}
	defer party.Close()
	for _, name := range []string{"Ann", "Bob"} {
		if err := party.Send(&greeterpb.HelloRequest{Name: name}); err != nil {
			return err
		}
	}
	if err := party.CloseSend(); err != nil {
		return err
	}
	for {
		reply, err := party.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Println(reply.Greeting)
	}
}
