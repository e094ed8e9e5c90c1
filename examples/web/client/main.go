// Command client calls the greeter by its names, over HTTP and over gRPC.
package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	microhttp "github.com/rollcall-go/micro/client/http"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	service := micro.NewService(micro.Name("greeter.client"))
	service.Init()

	rt := microhttp.NewRoundTripper(client.Registry(service.Options().Registry))
	defer rt.Close()
	named := &http.Client{Transport: rt, Timeout: 5 * time.Second}
	rsp, err := named.Get("http://greeter.web/hello?name=John") // the host is the name of the service
	if err != nil {
		log.Fatal(err)
	}
	defer rsp.Body.Close()
	if _, err := io.Copy(os.Stdout, rsp.Body); err != nil {
		log.Fatal(err)
	}

	greeting := new(wrapperspb.StringValue)
	req := service.Client().NewRequest("greeter", "Greeter.Hello", wrapperspb.String("Jane"))
	if err := service.Client().Call(context.Background(), req, greeting); err != nil {
		log.Fatal(err)
	}
	os.Stdout.WriteString(greeting.Value + "\n")
}
