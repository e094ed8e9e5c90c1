// Command mailer takes events: it welcomes whoever signed up.
package main

import (
	"context"
	"log"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Mailer gets each event of its topic by each of its methods.
type Mailer struct{}

func (Mailer) Welcome(ctx context.Context, user *wrapperspb.StringValue) error {
	from, _ := metadata.Get(ctx, "Micro-From-Service")
	log.Printf("Welcome, %s! We heard of you from %s.", user.Value, from)
	return nil
}

func (Mailer) Invoice(_ context.Context, user *wrapperspb.StringValue) error {
	log.Printf("The first month is free, %s.", user.Value)
	return nil
}

func count(_ context.Context, user *wrapperspb.StringValue) error {
	log.Printf("%s is counted.", user.Value)
	return nil
}

func main() {
	service := micro.NewService(micro.Name("mailer"))
	service.Init() // reads --registry=etcd and --broker=nats, among others
	if err := micro.RegisterSubscriber("user.created", service.Server(), new(Mailer)); err != nil {
		log.Fatal(err)
	}
	// Of several mailers, one counts each user: they share a queue.
	if err := micro.RegisterSubscriber("user.created", service.Server(), count, server.SubscriberQueue("count")); err != nil {
		log.Fatal(err)
	}
	if err := service.Run(); err != nil {
		log.Fatal(err)
	}
}
