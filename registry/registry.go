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

// Registry is a directory of running services. What is said here holds for every
// backend; what one cannot do it declares to the suite.
//
// Implementations are safe for concurrent use. Everything they hand out belongs to the
// caller; what they are handed stays the caller's and is not kept past the call,
// except by Register, which keeps a copy.
//
// A constructor asks nobody and starts nothing: a wrong address is an error of the
// first use. Every method returns within the timeout of the options. A method whose
// context is over, or ends while it waits, returns an error for which
// errors.Is(err, ctx.Err()) holds. An error names the address that was asked. Not
// knowing is an error; nothing being there is an answer.
//
// Names of services and ids of nodes are text of any kind that can be shown on a line.
// They are told apart byte by byte. Empty, ".", "..", "/", not UTF-8, with a control
// character, or with a blank at either end they are an error that quotes them; so is
// what one backend cannot carry, a label of more than 63 bytes in DNS, say. Metadata
// may hold anything, and come back as given, empty and nil being one.
//
// A backend with something to end has Close() error (io.Closer), which may be called
// more than once. It ends every watch; the other methods return ErrClosed, wrapped,
// from then on.
type Registry interface {
	// Init applies options to a registry that may be in use already.
	Init(...Option) error
	// Options returns a copy of the options in force.
	Options() Options
	// Register publishes every node of the service; it needs one at least, each with
	// an id of its own. The record belongs to the node: registering it again, also
	// under another version, replaces all of what was published, the service's part
	// of it included, and renews its time to live. Without RegisterTTL the backend's
	// default applies. When its time to live has passed without a renewal, the node
	// is gone as if it had been deregistered. If the context is over, nothing is
	// published.
	Register(*Service, ...RegisterOption) error
	// Deregister removes the nodes of the service, by their ids, whatever their
	// version. Removing an unknown node is not an error. The node is given up in any
	// case, also when its removal could not be confirmed in time.
	Deregister(*Service, ...DeregisterOption) error
	// GetService returns the service with the given name, one entry per version,
	// sorted by version, its nodes sorted by id; or an error for which
	// errors.Is(err, ErrNotFound) holds. Name, metadata and endpoints of an entry are
	// those of its first node.
	GetService(string, ...GetOption) ([]*Service, error)
	// ListServices returns every service with its nodes and endpoints as GetService
	// does, sorted by name, then version. If there is none, it returns an empty list
	// and no error.
	ListServices(...ListOption) ([]*Service, error)
	// Watch reports changes that happen after it returned, of one service or of all,
	// until the Watcher is stopped or its context is over.
	Watch(...WatchOption) (Watcher, error)
	// String names the kind of backend, as given to --registry.
	String() string
}

// Watcher delivers the changes of a registry in order. Next is called from one
// goroutine at a time; Stop may be called from any, more than once.
//
// Every node that comes, changes or goes, of its own will or by the end of its time to
// live, is one Result, and is told to every Watcher, however slow its reader. Where
// steps are left out, because nobody read them for long or because the backend did not
// see them, what is told leads to what is there.
type Watcher interface {
	// Next blocks until there is a change, or the watcher has been stopped, its
	// context is over or its registry closed: then it returns ErrWatcherStopped.
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

// Result is one change seen by a Watcher: Service with exactly one node. Action is
// "create" if the node was not there, "update" if it was and something of its record
// changed, its version, say, and "delete" if it went; then the node's id and the name
// of the service are sure to be there. A renewal that changes nothing is no Result.
type Result struct {
	Action  string
	Service *Service
}
