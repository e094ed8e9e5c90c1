package nats_test

import (
	"fmt"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/nats"
)

// A worker of a queue that loses no message: while it is away the server keeps them, and
// one that it cannot handle comes again.
func Example() {
	b := nats.NewBroker(
		broker.Addrs("nats://10.0.0.1:4222,10.0.0.2:4222"),
		nats.AuthFile("orders", "/etc/orders/nats-password"),
		nats.JetStream(nats.Delivery{MaxDeliver: 5}),
	)
	if err := b.Connect(); err != nil {
		fmt.Println(err)
		return
	}
	defer b.Disconnect()
	_, err := b.Subscribe("orders.paid", func(e broker.Event) error {
		return ship(e.Message().Body)
	}, broker.Queue("shipping"))
	if err != nil {
		fmt.Println(err)
	}
}

func ship([]byte) error { return nil }
