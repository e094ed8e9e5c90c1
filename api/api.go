// Package api says how a method of a service is reached over HTTP: the path, the
// HTTP methods, the host. Generated code attaches that to the handlers that it
// registers, so that it stands in the registry with the service.
package api

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// Api is what serves endpoints over HTTP.
type Api interface {
	// Init applies options.
	Init(...Option) error
	// Options returns the settings in force.
	Options() Options
	// Register serves the endpoint.
	Register(*Endpoint) error
	// Deregister serves the endpoint no longer.
	Deregister(*Endpoint) error
	// String names the implementation.
	String() string
}

// Options are the settings of an Api. There are none yet.
type Options struct{}

// Option sets a field of Options.
type Option func(*Options) error

// Endpoint maps a method of a service to HTTP.
type Endpoint struct {
	// Name is the method: Greeter.Hello.
	Name string
	// Description is for people.
	Description string
	// Handler is the way in which requests are handed over: rpc, proxy.
	Handler string
	// Host lists host names, such as example.com. Empty means any.
	Host []string
	// Method lists HTTP methods. Empty means any.
	Method []string
	// Path lists paths: templates such as /greeter/{name}, or POSIX regular
	// expressions between ^ and $.
	Path []string
	// Body names the field of the request that takes the HTTP body. Empty or *
	// means the request itself.
	Body string
	// Stream says that the method is a stream.
	Stream bool
}

// Service is an endpoint with the services that have it.
type Service struct {
	// Name is the name of the service.
	Name string
	// Endpoint is the endpoint.
	Endpoint *Endpoint
	// Services are the versions of the service.
	Services []*registry.Service
}

// WithEndpoint attaches the endpoint to the handler that it is given to, as
// metadata of the method that the endpoint names. e must not be nil.
func WithEndpoint(e *Endpoint) server.HandlerOption {
	return server.EndpointMetadata(e.Name, Encode(e))
}

// Encode returns the endpoint as it stands in the registry. Body and Stream do
// not, and neither does what is empty. Lists are joined by commas, so that an
// entry with a comma is read as two. Nil gives nil.
func Encode(e *Endpoint) map[string]string {
	if e == nil {
		return nil
	}
	m := make(map[string]string)
	for key, val := range map[string]string{
		"endpoint":    e.Name,
		"description": e.Description,
		"handler":     e.Handler,
		"method":      strings.Join(e.Method, ","),
		"path":        strings.Join(e.Path, ","),
		"host":        strings.Join(e.Host, ","),
	} {
		if val != "" {
			m[key] = val
		}
	}
	return m
}

// Decode reads what Encode returned. Nil gives nil.
func Decode(m map[string]string) *Endpoint {
	if m == nil {
		return nil
	}
	return &Endpoint{
		Name:        m["endpoint"],
		Description: m["description"],
		Handler:     m["handler"],
		Host:        split(m["host"]),
		Method:      split(m["method"]),
		Path:        split(m["path"]),
	}
}

// split returns the entries of a list joined by commas, without blanks around
// them and without empty ones.
func split(list string) []string {
	var entries []string
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}

// Validate returns an error if the endpoint cannot be served: it needs a name, a
// handler, and paths that are templates or complete regular expressions.
func Validate(e *Endpoint) error {
	switch {
	case e == nil:
		return errors.New("validate endpoint: it is nil")
	case e.Name == "":
		return errors.New("validate endpoint: it has no name")
	case e.Handler == "":
		return fmt.Errorf("validate endpoint %q: it has no handler", e.Name)
	}
	for _, path := range e.Path {
		if err := validatePath(path); err != nil {
			return fmt.Errorf("validate endpoint %q: %w", e.Name, err)
		}
	}
	return nil
}

func validatePath(path string) error {
	if path == "" {
		return errors.New("a path is empty")
	}
	begins, ends := strings.HasPrefix(path, "^"), strings.HasSuffix(path, "$")
	if begins != ends {
		return fmt.Errorf("path %q is half a regular expression: write it from ^ to $, or without both", path)
	}
	if !begins {
		return nil
	}
	if _, err := regexp.CompilePOSIX(path); err != nil {
		return fmt.Errorf("read path %q: %w", path, err)
	}
	return nil
}
