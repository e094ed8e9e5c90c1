// Command service is a greeter that takes one request for Greeter.Hello in a minute from each
// that asks, gives none longer than a second, and says when to come again.
package main

import (
	"context"
	"log"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/wrapper/endpoint"
	ratelimit "github.com/rollcall-go/micro/wrapper/ratelimiter/uber"
	"github.com/rollcall-go/micro/wrapper/recovery"
	"github.com/rollcall-go/micro/wrapper/timeout"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type Greeter struct{}

func (Greeter) Hello(_ context.Context, name, greeting *wrapperspb.StringValue) error {
	greeting.Value = "Hello, " + name.Value + "!"
	return nil
}

// Fail says that something is wrong with the service.
func (Greeter) Fail(context.Context, *wrapperspb.StringValue, *wrapperspb.StringValue) error {
	return errors.InternalServerError("greeter", "the disk is full")
}

// Sleep takes longer than it may.
func (Greeter) Sleep(ctx context.Context, _, _ *wrapperspb.StringValue) error {
	<-ctx.Done()
	return ctx.Err()
}

func main() {
	service := micro.NewService(
		micro.Name("greeter"),
		micro.WrapHandler(
			recovery.NewHandlerWrapper(),
			endpoint.NewHandlerWrapper(ratelimit.NewHandlerWrapper(1, ratelimit.Per(time.Minute), ratelimit.WithoutSlack, ratelimit.MaxWait(0)), "Greeter.Hello"),
			timeout.NewHandlerWrapper(time.Second),
		),
	)
	service.Init()
	if err := micro.RegisterHandler(service.Server(), new(Greeter)); err != nil {
		log.Fatal(err)
	}
	if err := service.Run(); err != nil {
		log.Fatal(err)
	}
}
