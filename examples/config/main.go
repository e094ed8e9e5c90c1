// Command config is a service whose greeting is configured in etcd and changes while
// it runs. Start it with --registry=etcd.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/config/source/etcd"
)

// Greeting is what stands under the key greeting.
type Greeting struct {
	Text string `json:"text" schema:"minLength=1"`
}

func (g *Greeting) Defaults() { g.Text = "Hello" }

func (g *Greeting) Validate() error {
	if g.Text == "" {
		return errors.New("a greeting needs a text")
	}
	return nil
}

type Greeter struct{ greeting *config.Bound[Greeting] }

func (g Greeter) Hello(_ context.Context, name, greeting *wrapperspb.StringValue) error {
	greeting.Value = g.greeting.Get().Text + ", " + name.Value + "!"
	return nil
}

// publish has `micro config` refuse greetings that Bind would refuse.
func publish(service micro.Service) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	operated, err := center.New(service.Options().Registry)
	if err != nil {
		return err
	}
	return center.PublishSchema[Greeting](ctx, operated, "greeting", center.Publisher{Service: "greeter", Version: "1.0.0"})
}

func main() {
	service := micro.NewService(micro.Name("greeter"))
	service.Init() // reads --registry=etcd

	// The keys below /micro/config/, those of this service and environment over those
	// of everybody, over the connection of the registry.
	conf, err := config.NewConfig(config.WithSource(etcd.NewSource(
		etcd.Registry(service.Options().Registry),
		etcd.Layers("greeter", os.Getenv("ENVIRONMENT")),
	)))
	if err != nil {
		log.Fatal(err)
	}
	service.Init(micro.Config(conf)) // values for this node alone are found by who it is
	greeting, err := config.Bind[Greeting](conf, "greeting")
	if err != nil {
		log.Fatal(err)
	}
	greeting.OnChange(func(_, now *Greeting) { log.Printf("the greeting is %q from now on", now.Text) })

	if err := publish(service); err != nil {
		log.Print(err) // a greeting that is wrong is refused here, and not where it is written
	}

	if err := micro.RegisterHandler(service.Server(), &Greeter{greeting}); err != nil {
		log.Fatal(err)
	}
	err = service.Run()
	if err := errors.Join(err, greeting.Close(), conf.Close()); err != nil {
		log.Fatal(err)
	}
}
