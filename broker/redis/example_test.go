package redis_test

import (
	"fmt"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/redis"
)

func ExampleNewBroker() {
	b := redis.NewBroker(broker.Addrs("redis://10.0.0.1:6379/0"))
	if err := b.Connect(); err != nil {
		fmt.Println(err)
		return
	}
	defer b.Disconnect()
	if err := b.Publish("orders.paid", &broker.Message{Body: []byte("7")}); err != nil {
		fmt.Println(err)
	}
}
