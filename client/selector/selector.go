// Package selector chooses one node among those of a service.
//
// A [Selector] looks a service up, narrows the result with filters and hands it
// to a strategy. Filters and strategies are plain functions; programs write
// their own. What a filter or strategy is given is its own shallow copy: it may
// reorder and drop entries, and must not change services or nodes in place.
package selector

import (
	"errors"

	"github.com/rollcall-go/micro/registry"
)

var (
	// ErrNotFound is returned by Select when the registry does not know the
	// service.
	ErrNotFound = errors.New("not found")

	// ErrNoneAvailable is returned by Select when the filters leave no service,
	// and by a Next when there is no node to choose.
	ErrNoneAvailable = errors.New("none available")

	// ErrClosed is returned, wrapped, by Select after Close.
	ErrClosed = errors.New("the selector is closed")

	// DefaultSelector is what clients use that are given no other. It looks up
	// registry.DefaultRegistry, as it is at the time of the lookup. It belongs to
	// the program; set it before the first client is made.
	DefaultSelector = NewSelector()
)

// Selector chooses nodes. Implementations are safe for concurrent use.
type Selector interface {
	// Init applies options to a selector that may be in use already.
	Init(opts ...Option) error
	// Options returns a copy of the options in force.
	Options() Options
	// Select returns a function that yields the nodes to try, one each time, or
	// an error for which errors.Is with ErrNotFound or ErrNoneAvailable tells why
	// there is none.
	Select(service string, opts ...SelectOption) (Next, error)
	// Mark reports the outcome of a call to the node; a nil err means success.
	Mark(service string, node *registry.Node, err error)
	// Reset forgets what Mark reported on the service.
	Reset(service string)
	// Close releases what the selector holds, and ends what it does in the
	// background. It may be called more than once.
	Close() error
	// String names the kind of selector.
	String() string
}

// Next yields a node, or ErrNoneAvailable. It is safe for concurrent use.
type Next func() (*registry.Node, error)

// Filter returns the services, or copies of them with fewer nodes, among which
// to choose.
type Filter func([]*registry.Service) []*registry.Service

// Strategy returns a function that chooses among the nodes of the services.
type Strategy func([]*registry.Service) Next
