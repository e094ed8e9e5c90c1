// Command client calls the greeter by its name. It is no service: it does not
// call Run.
package main

import (
	"context"
	"fmt"

	"github.com/rollcall-go/micro"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	service := micro.NewService(micro.Name("greeter.client"))
	service.Init()
	req := service.Client().NewRequest("greeter", "Greeter.Hello", wrapperspb.String("John"))
	rsp := new(wrapperspb.StringValue)
	err := service.Client().Call(context.Background(), req, rsp)
	fmt.Println(rsp.GetValue(), err)
}
