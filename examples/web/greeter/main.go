// Command greeter serves one greeting twice in one process: over HTTP and over gRPC.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/web"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func greet(name string) string { return "Hello, " + name + "!" }

type Greeter struct{}

func (Greeter) Hello(_ context.Context, name, greeting *wrapperspb.StringValue) error {
	greeting.Value = greet(name.Value)
	return nil
}

func main() {
	service := micro.NewService(micro.Name("greeter"))
	service.Init() // reads --registry=etcd, --server_address and others, which are for gRPC
	if err := micro.RegisterHandler(service.Server(), new(Greeter)); err != nil {
		log.Fatal(err)
	}

	page := web.NewService(web.Name("greeter.web"), web.MicroService(service)) // the same registry
	page.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, greet(r.FormValue("name")))
	})
	if err := page.Init(); err != nil {
		log.Fatal(err)
	}

	// Each is run by itself, and ends with a signal.
	ended := make(chan error)
	go func() { ended <- page.Run() }()
	go func() { ended <- service.Run() }()
	for range 2 {
		if err := <-ended; err != nil {
			log.Fatal(err)
		}
	}
}
