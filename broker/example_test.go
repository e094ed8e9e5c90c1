package broker_test

import (
	"fmt"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/memory"
)

// Two subscriptions of one queue share the messages, and a third one gets them all.
func Example() {
	b := memory.NewBroker()
	if err := b.Connect(); err != nil {
		fmt.Println(err)
		return
	}
	count := make(chan string, 10)
	handler := func(name string) broker.Handler {
		return func(e broker.Event) error {
			count <- name
			return nil
		}
	}
	for name, opts := range map[string][]broker.SubscribeOption{
		"worker 1": {broker.Queue("workers")}, "worker 2": {broker.Queue("workers")}, "audit": nil,
	} {
		if _, err := b.Subscribe("orders", handler(name), opts...); err != nil {
			fmt.Println(err)
		}
	}
	for range 2 {
		if err := b.Publish("orders", &broker.Message{Body: []byte("two pears")}); err != nil {
			fmt.Println(err)
		}
	}
	if err := b.Disconnect(); err != nil { // all is handled
		fmt.Println(err)
	}
	close(count)
	times := map[string]int{}
	for name := range count {
		times[name]++
	}
	fmt.Println(times)
	// Output: map[audit:2 worker 1:1 worker 2:1]
}
