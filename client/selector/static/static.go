// Package static is a selector for clients that look nothing up: the name of a service is the
// address of its one node, host:port, as where a name of DNS or a proxy stands for the service.
package static

import (
	"sync"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/registry"
)

// NewSelector returns a selector that takes the name of a service for the address of its node.
// Filters and strategies are not asked.
func NewSelector(opts ...selector.Option) selector.Selector {
	s := &static{}
	_ = s.Init(opts...) // cannot fail
	return s
}

type static struct {
	mu   sync.Mutex // guards opts
	opts selector.Options
}

var _ selector.Selector = (*static)(nil)

func (s *static) Init(opts ...selector.Option) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range opts {
		o(&s.opts)
	}
	return nil
}

func (s *static) Options() selector.Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts
}

func (s *static) Select(service string, _ ...selector.SelectOption) (selector.Next, error) {
	if service == "" {
		return nil, selector.ErrNotFound
	}
	node := &registry.Node{Id: service, Address: service}
	return func() (*registry.Node, error) { return node, nil }, nil
}

func (s *static) Mark(string, *registry.Node, error) {}
func (s *static) Reset(string)                       {}
func (s *static) Close() error                       { return nil }
func (s *static) String() string                     { return "static" }
