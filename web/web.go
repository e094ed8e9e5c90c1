// Package web makes HTTP services that others find by name.
//
// A web service is an http.Handler with a name. It listens, registers its node and is
// found like any other service; what serves the requests is net/http:
//
//	service := web.NewService(
//		web.Name("go.micro.web.greeter"),
//		web.Address(":8080"),
//	)
//	service.HandleFunc("/hello", hello)
//	if err := service.Init(); err != nil {
//		return err
//	}
//	return service.Run()
//
// A router of gin, echo or chi is an http.Handler too: give it with [Handler]. Package
// client/http calls such services by their names.
package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/rollcall-go/micro/internal/defaults"
)

// Service is an HTTP server that registers itself. What NewService returns has these
// methods as well, found by an assertion:
//
//	Start() error             // begins to serve, and returns
//	Stop() error              // stops what Start began
//	Ready() error             // nil while the node is registered, else why it is not
//	Stats() map[string]uint64 // registered, registrations, registrations_lost
type Service interface {
	// Client returns an HTTP client that finds services by name, in the registry of
	// this one: http://go.micro.web.greeter/hello. It is closed when the service has stopped.
	Client() *http.Client
	// Init applies options and, the first time, the command line and the environment,
	// which go before what the code says. It is to be called before the service starts.
	Init(opts ...Option) error
	// Options returns a copy of the options in force. From the start on, Address is
	// the one that the service listens on.
	Options() Options
	// Handle adds a handler for a pattern of http.ServeMux. What is wrong with a
	// pattern, Run reports. Patterns are of no use with the option Handler.
	Handle(pattern string, handler http.Handler)
	// HandleFunc is Handle for a function.
	HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request))
	// Run serves until a signal, or the end of the service's context, and then stops
	// gracefully. It returns nil after a stop without errors.
	Run() error
}

// Option sets something about a web service. Options may be given in any order.
type Option func(o *Options)

// What holds for a service that says nothing else. They belong to the program; set them
// before the first service is made.
var (
	DefaultName    = "go-web"
	DefaultVersion = "latest"
	// DefaultId is the id of the first service of the process; further ones get others.
	DefaultId = uuid.NewString()
	// DefaultAddress is every interface, and a free port.
	DefaultAddress = ":0"

	DefaultRegisterTTL      = defaults.RegisterTTL
	DefaultRegisterInterval = defaults.RegisterInterval

	// DefaultStaticDir is the directory, relative to the working directory, whose files
	// are served if there is one and nothing handles /.
	DefaultStaticDir = "html"
	// DefaultRegisterCheck agrees to every registration.
	DefaultRegisterCheck = func(context.Context) error { return nil }
)

// NewService returns a service that is set up but does nothing until Run.
func NewService(opts ...Option) Service { return newService(opts...) }

// Times of net/http that hold unless the option Server brings others.
const (
	readHeaderTimeout = defaults.HandshakeTimeout
	idleTimeout       = 2 * time.Minute
)
