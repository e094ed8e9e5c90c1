// Package service holds what go-micro v2's service/grpc is made with. It is frozen: new
// code makes its services with package micro.
package service

import (
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/server"
)

// Service is a named program that serves, calls, or both.
type Service interface {
	// Name is the name that the service registers under.
	Name() string
	// Init applies options. It parses no command line.
	Init(...Option)
	// Options returns the settings and parts of the service.
	Options() Options
	// Client calls other services.
	Client() client.Client
	// Server serves the service's handlers.
	Server() server.Server
	// Run serves until a signal or the end of the service's context.
	Run() error
	// String names the implementation.
	String() string
}
