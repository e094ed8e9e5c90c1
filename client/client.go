// Package client is the contract for calling services by name.
//
// A [Client] builds a [Request], chooses a node of the service and sends the
// request there. client/grpc implements it; importing that package, or the root
// of the module, makes [NewClient] and [DefaultClient] work. Wrappers are
// programs' way in: a [Wrapper] embeds a Client and overrides what it wants, a
// [CallWrapper] surrounds each attempt and sees the node.
package client

import (
	"context"

	"github.com/rollcall-go/micro/codec"
)

// Client calls services and publishes messages. Implementations are safe for
// concurrent use.
type Client interface {
	// Init applies options to a client that may be in use already.
	Init(...Option) error
	// Options returns the options in force.
	Options() Options
	// NewMessage prepares a message for Publish.
	NewMessage(topic string, msg any, opts ...MessageOption) Message
	// NewRequest prepares a request for Call or Stream. Requests may be used more
	// than once and are not changed by a call.
	NewRequest(service, endpoint string, req any, reqOpts ...RequestOption) Request
	// Call sends the request and waits for the answer, which is decoded into rsp.
	// After an error the content of rsp is unspecified, and nothing writes to it
	// any more. Errors are of type *errors.Error.
	Call(ctx context.Context, req Request, rsp any, opts ...CallOption) error
	// Stream opens a stream, which the caller must Close.
	Stream(ctx context.Context, req Request, opts ...CallOption) (Stream, error)
	// Publish hands the message to the broker.
	Publish(ctx context.Context, msg Message, opts ...PublishOption) error
	// String names the implementation.
	String() string
}

// Router sends requests by rules of its own.
type Router interface {
	// SendRequest sends the request and returns the answer undecoded.
	SendRequest(context.Context, Request) (Response, error)
}

// Message is something to publish.
type Message interface {
	// Topic is where the message is published.
	Topic() string
	// Payload is the value to encode.
	Payload() any
	// ContentType chooses the encoding.
	ContentType() string
}

// Request is what Call and Stream send.
type Request interface {
	// Service is the name of the service to call.
	Service() string
	// Method is the same as Endpoint.
	Method() string
	// Endpoint is the method to invoke, such as "Greeter.Hello".
	Endpoint() string
	// ContentType chooses the encoding of Body.
	ContentType() string
	// Body is the value to encode.
	Body() any
	// Codec writes to the connection. It is nil before the call is made.
	Codec() codec.Writer
	// Stream reports whether the request opens a stream.
	Stream() bool
}

// Response is an answer not yet decoded.
type Response interface {
	// Codec reads from the connection.
	Codec() codec.Reader
	// Header returns the headers of the answer.
	Header() map[string]string
	// Read returns the next message as bytes, which belong to the caller.
	Read() ([]byte, error)
}

// Stream is a conversation with one node. One goroutine may Send while another
// calls Recv; neither may be called from two goroutines at a time. Close may be
// called from any.
type Stream interface {
	// Context is the context of the stream. It ends with the stream.
	Context() context.Context
	// Request is the request that opened the stream.
	Request() Request
	// Response is the undecoded side of what is received.
	Response() Response
	// Send encodes and sends one message.
	Send(any) error
	// Recv waits for a message and decodes it. It returns io.EOF when the server
	// has ended the stream without an error.
	Recv(any) error
	// Error returns the first error of the stream other than io.EOF, or nil.
	Error() error
	// Close ends the stream. It may be called more than once.
	Close() error
}

// Option sets a field of Options.
type Option func(*Options)

// CallOption sets a field of CallOptions for one Call or Stream.
type CallOption func(*CallOptions)

// PublishOption sets a field of PublishOptions for one Publish.
type PublishOption func(*PublishOptions)

// MessageOption sets a field of MessageOptions for one message.
type MessageOption func(*MessageOptions)

// RequestOption sets a field of RequestOptions for one request.
type RequestOption func(*RequestOptions)
