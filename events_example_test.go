package micro_test

import (
	"context"
	"fmt"

	"github.com/rollcall-go/micro"
	brokermemory "github.com/rollcall-go/micro/broker/memory"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
)

// One of the services that share the queue "billing" gets each order.
func ExampleRegisterSubscriber() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	started := make(chan error, 1)
	s := micro.NewService(
		micro.Name("billing"), micro.Address("127.0.0.1:0"), micro.Registry(memory.NewRegistry()),
		micro.Broker(brokermemory.NewBroker()), micro.Context(ctx), micro.HandleSignal(false),
		micro.AfterStart(func() error { started <- nil; return nil }),
	)
	handled := make(chan string, 1)
	err := micro.RegisterSubscriber("orders", s.Server(), func(_ context.Context, order *currentpb.SayRequest) error {
		handled <- order.Text
		return nil
	}, server.SubscriberQueue("billing"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run() }()
	<-started

	orders := micro.NewEvent("orders", s.Client())
	if err := orders.Publish(ctx, &currentpb.SayRequest{Text: "two pears"}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-handled)
	stop()
	if err := <-ended; err != nil {
		fmt.Println(err)
	}
}
