// Command relay is a service that asks the next one and adds its own name, so that a
// chain of them answers "a>b>c". It knows no registry: that is what its flags and
// variables are for. RELAY_NAME is its name, RELAY_NEXT whom it asks, if anybody. With
// RELAY_ASK it is no service: it asks that one once and prints the answer, unless that
// is itself.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/rollcall-go/micro"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Relay is the handler of every service of the chain.
type Relay struct {
	service micro.Service
	next    string
}

// Pass answers with the names from here to the end of the chain.
func (r *Relay) Pass(ctx context.Context, _, rsp *wrapperspb.StringValue) error {
	rsp.Value = r.service.Name()
	if r.next == "" {
		return nil
	}
	rest, err := ask(ctx, r.service, r.next)
	rsp.Value += ">" + rest
	return err
}

func ask(ctx context.Context, from micro.Service, name string) (string, error) {
	c, rsp := from.Client(), new(wrapperspb.StringValue)
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
	switch name := os.Getenv("RELAY_ASK"); name {
	case "":
	case service.Name():
		service.Init(micro.AfterStart(func() error {
			answer, err := ask(context.Background(), service, name)
			fmt.Println("answered: " + answer)
			return err
		}))
	default:
		answer, err := ask(context.Background(), service, name)
		fmt.Println(answer)
		return err
	}
	if err := micro.RegisterHandler(service.Server(), &Relay{service, os.Getenv("RELAY_NEXT")}); err != nil {
		return err
	}
	return service.Run()
}
