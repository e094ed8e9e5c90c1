// Package registry is the contract between services and the place where they
// find one another.
//
// A backend (etcd, Consul, mDNS, memory, or one of your own) implements
// [Registry]. Services register through it, clients look names up in it, and
// everything else in the module depends on this contract alone. The interfaces
// here never grow: new abilities of a backend are optional interfaces that are
// found by assertion, so that a Registry written against this file keeps
// working.
//
// The suite in registry/registrytest states the behaviour expected of every
// backend as runnable tests.
//
// A Registry around another one that changes nothing of what is registered or
// found may have a method Unwrap() Registry. The abilities of the inner one are
// then used directly: a client, say, follows services there.
package registry

import "errors"

var (
	// ErrNotFound is returned by GetService when no node of the service is
	// registered. The backends of this module return it as it is, since programs for
	// v2 compare with ==; others may wrap it with the reason.
	ErrNotFound = errors.New("service not found")

	// ErrClosed is returned, wrapped, by the methods of a registry that was closed.
	ErrClosed = errors.New("the registry is closed")

	// ErrWatcherStopped is returned by Watcher.Next after Watcher.Stop.
	ErrWatcherStopped = errors.New("watcher stopped")
)

// Registry is a directory of running services. Implementations are safe for
// concurrent use. Everything they hand out belongs to the caller; what they are
// handed stays the caller's and is not kept past the call, except by Register,
// which keeps a copy.
type Registry interface {
	// Init applies options to a registry that may be in use already.
	Init(...Option) error
	// Options returns a copy of the options in force.
	Options() Options
	// Register publishes every node of the service. Registering the same node
	// again replaces what was published and renews its time to live.
	Register(*Service, ...RegisterOption) error
	// Deregister removes the nodes of the service. Removing an unknown node is
	// not an error.
	Deregister(*Service, ...DeregisterOption) error
	// GetService returns the service with the given name, one entry per version,
	// or an error for which errors.Is(err, ErrNotFound) holds.
	GetService(string, ...GetOption) ([]*Service, error)
	// ListServices returns every service, sorted by name.
	ListServices(...ListOption) ([]*Service, error)
	// Watch reports changes that happen after it returned.
	Watch(...WatchOption) (Watcher, error)
	// String names the kind of backend, as given to --registry.
	String() string
}

// Watcher delivers the changes of a registry in order. Next is called from one
// goroutine at a time; Stop may be called from any, more than once.
type Watcher interface {
	// Next blocks until there is a change or the watcher has been stopped, in
	// which case it returns ErrWatcherStopped.
	Next() (*Result, error)
	// Stop ends the watch and releases what it holds.
	Stop()
}

// Service is one version of a service with the nodes that run it.
type Service struct {
	Name      string            `json:"name"`
	Version   string            `json:"version"`
	Metadata  map[string]string `json:"metadata"`
	Endpoints []*Endpoint       `json:"endpoints"`
	Nodes     []*Node           `json:"nodes"`
}

// Node is one running instance of a service.
type Node struct {
	// Id is unique among all nodes of the service.
	Id string `json:"id"`
	// Address is host:port, an IPv6 host in brackets.
	Address  string            `json:"address"`
	Metadata map[string]string `json:"metadata"`
}

// Endpoint describes one method or subscription of a service.
type Endpoint struct {
	Name     string            `json:"name"`
	Request  *Value            `json:"request"`
	Response *Value            `json:"response"`
	Metadata map[string]string `json:"metadata"`
}

// Value describes the shape of a message: a name, a type, and its fields.
type Value struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Values []*Value `json:"values"`
}

// Result is one change seen by a Watcher. Action is "create", "update" or
// "delete"; Service holds the nodes that the change is about.
type Result struct {
	Action  string
	Service *Service
}
