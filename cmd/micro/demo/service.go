// Package demo is what runs in the processes of `micro demo`: a service, a program
// that calls it, and the handle on such a process.
package demo

import (
	"context"
	"fmt"
	"io"

	rollcall "github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// The service of the demo.
const (
	Name     = "greeter"
	Endpoint = "Greeter.Hello"
)

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

// Welcome greets each of those who are named on a stream.
func (g *Greeter) Welcome(ctx context.Context, stream server.Stream) error {
	for {
		req, rsp := new(HelloRequest), new(HelloResponse)
		if err := stream.Recv(req); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := g.Hello(ctx, req, rsp); err != nil {
			return err
		}
		if err := stream.Send(rsp); err != nil {
			return err
		}
	}
}

// Serve runs one node of the service until ctx ends. It is a service like any other.
func Serve(ctx context.Context, r registry.Registry) error {
	service := rollcall.NewService(
		rollcall.Name(Name),
		rollcall.Version("1.0.0"),
		rollcall.Address("127.0.0.1:0"),
		rollcall.Registry(r),
		rollcall.Context(ctx),
		rollcall.HandleSignal(false), // the command sees to signals
	)
	if err := rollcall.RegisterHandler(service.Server(), &Greeter{service.Server()}); err != nil {
		return err
	}
	return service.Run()
}
