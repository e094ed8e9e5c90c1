// Command client calls the greeter until it is told to wait, and then what fails until it is not
// called any more.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/errors"
	breaker "github.com/rollcall-go/micro/wrapper/breaker/gobreaker"
	"github.com/sony/gobreaker/v2"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	service := micro.NewService(
		micro.Name("greeter.client"),
		micro.WrapClient(breaker.NewCustomClientWrapper(gobreaker.Settings{
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= 2 },
			Timeout:     time.Minute,
		}, breaker.BreakServiceEndpoint)),
	)
	service.Init()
	for _, endpoint := range []string{"Greeter.Hello", "Greeter.Hello", "Greeter.Sleep", "Greeter.Fail", "Greeter.Fail", "Greeter.Fail"} {
		rsp := new(wrapperspb.StringValue)
		err := service.Client().Call(context.Background(), service.Client().NewRequest("greeter", endpoint, wrapperspb.String("John")), rsp)
		if err != nil {
			fmt.Println(endpoint, errors.FromError(err).Code, errors.FromError(err).Detail)
			continue
		}
		fmt.Println(endpoint, rsp.Value)
	}
}
