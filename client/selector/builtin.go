package selector

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/rollcall-go/micro/registry"
)

// NewSelector returns the selector of this package. It asks its registry anew
// for each selection, holds no connection and runs no goroutine. Given one, a
// client chooses from its own view of the services instead, with this
// selector's registry and strategy.
func NewSelector(opts ...Option) Selector {
	b := &builtin{}
	_ = b.Init(opts...) // cannot fail
	return b
}

// builtin selects from what the registry answers.
type builtin struct {
	mu   sync.RWMutex
	opts Options
}

var _ Selector = (*builtin)(nil)

// Builtin marks the selector of this package for a client that has a better way
// to do the same. It returns the options as they were given (a nil Registry was
// not given) and the name of the strategy: "random", "roundrobin", or empty for
// one that the program wrote. A selector that embeds the Selector interface
// does not have this method, so a wrapped selector is never bypassed.
func (b *builtin) Builtin() (given Options, strategy string) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.opts, nameOf(b.opts.Strategy)
}

func (b *builtin) Init(opts ...Option) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range opts {
		o(&b.opts)
	}
	return nil
}

// Options returns the options in force, with defaults in place of what was not
// given.
func (b *builtin) Options() Options {
	b.mu.RLock()
	defer b.mu.RUnlock()
	o := b.opts
	if o.Registry == nil {
		o.Registry = registry.DefaultRegistry
	}
	if o.Strategy == nil {
		o.Strategy = Random
	}
	return o
}

func (b *builtin) Select(service string, opts ...SelectOption) (Next, error) {
	o := b.Options()
	var so SelectOptions
	for _, opt := range opts {
		opt(&so)
	}
	if so.Strategy == nil {
		so.Strategy = o.Strategy
	}

	services, err := o.Registry.GetService(service)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("look up %q: %w", service, err)
	}
	for _, filter := range so.Filters {
		services = filter(services)
	}
	if len(services) == 0 {
		return nil, ErrNoneAvailable
	}
	return so.Strategy(services), nil
}

func (b *builtin) Mark(string, *registry.Node, error) {}

func (b *builtin) Reset(string) {}

func (b *builtin) Close() error { return nil }

func (b *builtin) String() string { return "registry" }

// nameOf recognises the strategies of this package. Both are top-level
// functions, each with one address for the life of the process.
func nameOf(s Strategy) string {
	if s == nil {
		return "random"
	}
	switch reflect.ValueOf(s).Pointer() {
	case reflect.ValueOf(Random).Pointer():
		return "random"
	case reflect.ValueOf(RoundRobin).Pointer():
		return "roundrobin"
	default:
		return ""
	}
}
