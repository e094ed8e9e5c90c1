// Package server is the contract for serving requests under a name.
//
// A [Server] is given handlers, listens, and registers itself. server/grpc
// implements it; importing that package, or the root of the module, makes
// [NewServer] and [DefaultServer] work.
package server

import (
	"context"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/registry"
)

// Server serves requests. Implementations are safe for concurrent use.
type Server interface {
	// Init applies options to a server that may be running already.
	Init(...Option) error
	// Options returns the options in force. Once the server has started, Address
	// is the one it listens on.
	Options() Options
	// Handle adds a handler made by NewHandler.
	Handle(Handler) error
	// NewHandler makes a handler of the exported methods of a value.
	NewHandler(any, ...HandlerOption) Handler
	// NewSubscriber makes a subscriber of a function, or of the methods of a
	// value, for a topic.
	NewSubscriber(string, any, ...SubscriberOption) Subscriber
	// Subscribe adds a subscriber made by NewSubscriber.
	Subscribe(Subscriber) error
	// Start listens, serves in the background, and registers. It waits for a registry
	// that answers, and for one that does not no longer than the implementation says.
	Start() error
	// Stop deregisters, lets the requests in flight end, and stops serving.
	Stop() error
	// String names the implementation.
	String() string
}

// Router serves everything that arrives by rules of its own.
type Router interface {
	// ProcessMessage processes one published message.
	ProcessMessage(context.Context, Message) error
	// ServeRequest answers one request.
	ServeRequest(context.Context, Request, Response) error
}

// Message is a published message that arrived.
type Message interface {
	// Topic is where the message was published.
	Topic() string
	// Payload is the decoded message.
	Payload() any
	// ContentType names the encoding of Body.
	ContentType() string
	// Header returns the headers of the message.
	Header() map[string]string
	// Body is the message before decoding.
	Body() []byte
	// Codec reads the message.
	Codec() codec.Reader
}

// Request is a request that arrived.
type Request interface {
	// Service is the name of the service that was called.
	Service() string
	// Method is the same as Endpoint.
	Method() string
	// Endpoint is the method to invoke, such as "Greeter.Hello".
	Endpoint() string
	// ContentType names the encoding of the request.
	ContentType() string
	// Header returns the headers of the request.
	Header() map[string]string
	// Body is the decoded request.
	Body() any
	// Read returns the request before decoding.
	Read() ([]byte, error)
	// Codec reads the request.
	Codec() codec.Reader
	// Stream reports whether the request opens a stream.
	Stream() bool
}

// Response is where a Router writes its answer.
type Response interface {
	// Codec writes the answer.
	Codec() codec.Writer
	// WriteHeader sets the headers of the answer, before anything is written.
	WriteHeader(map[string]string)
	// Write sends bytes that are encoded already.
	Write([]byte) error
}

// Stream is a conversation with one client. One goroutine may Send while
// another calls Recv; neither may be called from two goroutines at a time.
type Stream interface {
	// Context is the context of the stream. It ends with the stream.
	Context() context.Context
	// Request is the request that opened the stream.
	Request() Request
	// Send encodes and sends one message.
	Send(any) error
	// Recv waits for a message and decodes it. It returns io.EOF when the client
	// has ended its side.
	Recv(any) error
	// Error returns the first error of the stream other than io.EOF, or nil.
	Error() error
	// Close ends the stream. The handler's return does so too.
	Close() error
}

// Handler is a set of methods under one name, made by NewHandler.
type Handler interface {
	// Name is the part of an endpoint before the dot.
	Name() string
	// Handler is the value that the methods belong to.
	Handler() any
	// Endpoints describes the methods as they are registered.
	Endpoints() []*registry.Endpoint
	// Options returns the options given to NewHandler.
	Options() HandlerOptions
}

// Subscriber is what receives the messages of a topic, made by NewSubscriber.
type Subscriber interface {
	// Topic is where the messages are published.
	Topic() string
	// Subscriber is the function, or the value that the methods belong to.
	Subscriber() any
	// Endpoints describes the subscriber as it is registered.
	Endpoints() []*registry.Endpoint
	// Options returns the options given to NewSubscriber.
	Options() SubscriberOptions
}

// Option sets a field of Options.
type Option func(*Options)

// HandlerOption sets a field of HandlerOptions.
type HandlerOption func(*HandlerOptions)

// SubscriberOption sets a field of SubscriberOptions.
type SubscriberOption func(*SubscriberOptions)
