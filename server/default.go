package server

import (
	"context"
	"time"

	"github.com/google/uuid"
)

var (
	// DefaultServer is what the functions of this package use. It makes its server
	// on first use. It belongs to the program; set it before anything is handled.
	DefaultServer Server = &deferred{}

	// NewServer returns a server of its own. It makes the server of server/grpc
	// where that package is linked in.
	NewServer func(...Option) Server = newServer

	// DefaultAddress is where a server listens: every interface, a free port.
	DefaultAddress = ":0"
	// DefaultName is the name of a service that gave itself none.
	DefaultName = "go.micro.server"
	// DefaultVersion is the version of a service that gave itself none.
	DefaultVersion = "latest"
	// DefaultId is the Id of a server that is given none. It is another one in each
	// process. In a process with several such servers, server/grpc gives it to the
	// first and generates one for each other.
	DefaultId = uuid.NewString()
	// DefaultRegisterCheck agrees to every registration.
	DefaultRegisterCheck = func(context.Context) error { return nil }

	// DefaultRegisterInterval and DefaultRegisterTTL are kept for programs and
	// servers that read them. server/grpc has its own, which apply where
	// Options.RegisterInterval and Options.RegisterTTL are zero.
	DefaultRegisterInterval = 30 * time.Second
	DefaultRegisterTTL      = 90 * time.Second

	// DefaultContentType is kept for servers that read it.
	DefaultContentType = "application/protobuf"
)

// DefaultOptions returns the options of DefaultServer.
func DefaultOptions() Options {
	return DefaultServer.Options()
}

// Init applies options to DefaultServer. What is wrong with them is reported by
// Start; call DefaultServer.Init to have the error at once.
func Init(opt ...Option) {
	if DefaultServer == nil {
		DefaultServer = NewServer()
	}
	_ = DefaultServer.Init(opt...)
}

// NewSubscriber makes a subscriber for DefaultServer.
func NewSubscriber(topic string, h any, opts ...SubscriberOption) Subscriber {
	return DefaultServer.NewSubscriber(topic, h, opts...)
}

// NewHandler makes a handler for DefaultServer of the exported methods of a
// value.
func NewHandler(h any, opts ...HandlerOption) Handler {
	return DefaultServer.NewHandler(h, opts...)
}

// Handle adds a handler to DefaultServer.
func Handle(h Handler) error {
	return DefaultServer.Handle(h)
}

// Subscribe adds a subscriber to DefaultServer.
func Subscribe(s Subscriber) error {
	return DefaultServer.Subscribe(s)
}

// String names the implementation behind DefaultServer.
func String() string {
	return DefaultServer.String()
}
