// Package micro makes services that find one another.
//
// A service has a name. It serves requests, registers its node in a registry
// (etcd, say), and calls other services by their names:
//
//	service := micro.NewService(
//		micro.Name("go.micro.service.greeter"),
//		micro.Registry(etcd.NewRegistry(registry.Addrs("127.0.0.1:2379"))),
//	)
//	service.Init()
//	if err := micro.RegisterHandler(service.Server(), new(Greeter)); err != nil {
//		return err
//	}
//	return service.Run()
//
// A program that only calls others does not call Run:
//
//	req := service.Client().NewRequest("go.micro.service.greeter", "Greeter.Hello", in)
//	err := service.Client().Call(ctx, req, out)
//
// The API is that of go-micro v2; where the behaviour differs on purpose,
// docs/MIGRATING.md says so.
package micro

import (
	"context"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/server"
)

// HeaderPrefix begins the names of the headers that the framework sends.
const HeaderPrefix = "Micro-"

// Service is a named program that serves, calls, or both. Its methods are safe
// for concurrent use once Init has returned.
type Service interface {
	// Name is the name that the service registers under.
	Name() string
	// Init applies options and, the first time, parses the command line and the
	// environment, which go before what the code says.
	Init(...Option)
	// Options returns the settings and parts of the service.
	Options() Options
	// Client calls other services.
	Client() client.Client
	// Server serves the service's handlers.
	Server() server.Server
	// Run serves until a signal or the end of the service's context, and then
	// stops gracefully. It returns nil after a stop without errors.
	Run() error
	// String returns "micro".
	String() string
}

// Function is a service that ends after it has served one request.
type Function interface {
	Service
	// Done ends the function.
	Done() error
	// Handle adds a handler made of the methods of v.
	Handle(v any) error
	// Subscribe adds a subscriber for a topic.
	Subscribe(topic string, v any) error
}

// Event publishes messages on one topic.
type Event interface {
	// Publish publishes a message.
	Publish(ctx context.Context, msg any, opts ...client.PublishOption) error
}

// Publisher is the older name of Event.
type Publisher = Event

// Option sets something about a service. Options may be given in any order.
type Option func(*Options)

// NewService returns a service that is set up with the options. It starts
// nothing; the client and the server of the first service of a process are
// client.DefaultClient and server.DefaultServer, unless it is given others.
func NewService(opts ...Option) Service {
	return newService(opts...)
}

// NewFunction returns a function that is set up with the options.
func NewFunction(opts ...Option) Function {
	return newFunction(opts...)
}

// NewEvent returns what publishes on the topic with the client, or with a new
// one where that is nil.
func NewEvent(topic string, c client.Client) Event {
	if c == nil {
		c = client.NewClient()
	}
	return &event{topic: topic, client: c}
}

// NewPublisher is the older name of NewEvent.
func NewPublisher(topic string, c client.Client) Event {
	return NewEvent(topic, c)
}

// RegisterHandler adds the exported methods of h to the server s.
func RegisterHandler(s server.Server, h any, opts ...server.HandlerOption) error {
	return s.Handle(s.NewHandler(h, opts...))
}

// RegisterSubscriber subscribes h, a function or a value with methods, to the
// topic at the server s.
func RegisterSubscriber(topic string, s server.Server, h any, opts ...server.SubscriberOption) error {
	return s.Subscribe(s.NewSubscriber(topic, h, opts...))
}

type serviceKey struct{}

// NewContext returns ctx with the service in it.
func NewContext(ctx context.Context, s Service) context.Context {
	return context.WithValue(ctx, serviceKey{}, s)
}

// FromContext returns the service that NewContext put into ctx.
func FromContext(ctx context.Context) (Service, bool) {
	s, ok := ctx.Value(serviceKey{}).(Service)
	return s, ok
}

type event struct {
	topic  string
	client client.Client
}

func (e *event) Publish(ctx context.Context, msg any, opts ...client.PublishOption) error {
	return e.client.Publish(ctx, e.client.NewMessage(e.topic, msg), opts...)
}
