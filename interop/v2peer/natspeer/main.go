// Command natspeer is a program written for go-micro v2 on its broker for NATS. It
// subscribes to a topic, writes each message that it gets to standard output, and
// publishes those that it reads from standard input. Each is a line of JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"

	"github.com/micro/go-micro/v2/broker"
	"github.com/micro/go-micro/v2/broker/nats"
)

type line struct {
	Topic   string
	Message *broker.Message
}

func main() {
	address := flag.String("address", "", "of the server")
	topic := flag.String("topic", "", "to subscribe to")
	queue := flag.String("queue", "", "to share it with")
	flag.Parse()
	// The framework logs to standard output, which is for messages.
	out := json.NewEncoder(os.Stdout)
	os.Stdout = os.Stderr
	if err := run(*address, *topic, *queue, out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(address, topic, queue string, out *json.Encoder) error {
	b := nats.NewBroker(broker.Addrs(address))
	if err := b.Init(); err != nil {
		return err
	}
	if err := b.Connect(); err != nil {
		return err
	}
	defer b.Disconnect()
	var opts []broker.SubscribeOption
	if queue != "" {
		opts = append(opts, broker.Queue(queue))
	}
	var mu sync.Mutex
	if _, err := b.Subscribe(topic, func(e broker.Event) error {
		mu.Lock()
		defer mu.Unlock()
		return out.Encode(line{e.Topic(), e.Message()})
	}, opts...); err != nil {
		return err
	}
	for in := json.NewDecoder(os.Stdin); ; {
		var l line
		if in.Decode(&l) != nil {
			return nil // the end of the input
		}
		if err := b.Publish(l.Topic, l.Message); err != nil {
			return err
		}
	}
}
