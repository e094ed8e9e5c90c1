package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	rollcall "github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/server"
)

// The service of the demo.
const (
	demoName     = "greeter"
	demoEndpoint = "Greeter.Hello"
)

func demoServiceCommand() *cli.Command {
	return &cli.Command{
		Name:   "demo-service",
		Usage:  "run one node of the service that the demo calls",
		Hidden: true,
		Flags:  registryFlags(5 * time.Second),
		Before: arguments(0, 0),
		Action: withRegistry(demoService),
	}
}

// HelloRequest names who is to be greeted.
type HelloRequest struct {
	Name string `json:"name"`
}

// HelloResponse is the greeting, and the node that it comes from.
type HelloResponse struct {
	Greeting string `json:"greeting"`
	Node     string `json:"node"`
}

// Greeter is the handler of the demo.
type Greeter struct{ server server.Server }

// Hello greets.
func (g *Greeter) Hello(_ context.Context, req *HelloRequest, rsp *HelloResponse) error {
	o := g.server.Options()
	rsp.Greeting = fmt.Sprintf("Hello, %s!", req.Name)
	rsp.Node = o.Name + "-" + o.Id
	return nil
}

func demoService(s *session) error {
	// It is a service like any other, and the demo reads its log.
	if err := logger.Init(logger.WithOutput(s.App.Writer)); err != nil {
		return fmt.Errorf("set the log up: %w", err)
	}
	service := rollcall.NewService(
		rollcall.Name(demoName),
		rollcall.Version("1.0.0"),
		rollcall.Address("127.0.0.1:0"),
		rollcall.Registry(s.registry),
		rollcall.Context(s.Context.Context),
		rollcall.HandleSignal(false), // the command sees to signals
	)
	if err := rollcall.RegisterHandler(service.Server(), &Greeter{service.Server()}); err != nil {
		return err
	}
	return service.Run()
}
