// Command relay is a service that asks the next one and adds its own name, so that a
// chain of them answers "a>b>c". It knows no registry: that is what its flags and
// variables are for. RELAY_NAME is its name, RELAY_NEXT whom it asks, if anybody. With
// RELAY_ASK it is no service: it asks that one once and prints the answer.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Relay is the handler of every service of the chain.
type Relay struct {
	name, next string
	client     client.Client
}

// Pass answers with the names from here to the end of the chain.
func (r *Relay) Pass(ctx context.Context, _, rsp *wrapperspb.StringValue) error {
	rsp.Value = r.name
	if r.next == "" {
		return nil
	}
	rest, err := ask(ctx, r.client, r.next)
	rsp.Value += ">" + rest
	return err
}

func ask(ctx context.Context, c client.Client, name string) (string, error) {
	rsp := new(wrapperspb.StringValue)
	err := c.Call(ctx, c.NewRequest(name, "Relay.Pass", new(wrapperspb.StringValue)), rsp)
	return rsp.GetValue(), err
}

func main() {
	service := micro.NewService(micro.Name(os.Getenv("RELAY_NAME")), micro.Address("127.0.0.1:0"))
	service.Init()
	if err := run(service); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(service micro.Service) error {
	if name := os.Getenv("RELAY_ASK"); name != "" {
		answer, err := ask(context.Background(), service.Client(), name)
		fmt.Println(answer)
		return err
	}
	relay := &Relay{name: service.Name(), next: os.Getenv("RELAY_NEXT"), client: service.Client()}
	if err := micro.RegisterHandler(service.Server(), relay); err != nil {
		return err
	}
	return service.Run()
}
