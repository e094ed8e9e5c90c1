// Command signup publishes an event: John has signed up.
package main

import (
	"context"
	"log"
	"time"

	"github.com/rollcall-go/micro"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	service := micro.NewService(micro.Name("signup"))
	service.Init()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	created := micro.NewEvent("user.created", service.Client())
	if err := created.Publish(ctx, wrapperspb.String("John")); err != nil {
		log.Fatal(err)
	}
	// What is published waits in this process until it is sent. A service that runs need
	// not wait for that; one that ends does.
	if err := service.Options().Broker.Disconnect(); err != nil {
		log.Fatal(err)
	}
}
