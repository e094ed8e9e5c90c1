package selector

import (
	"reflect"
	"sync"

	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/registry"
)

// NewSelector returns the selector of this package. The first selection of a
// service begins to follow it in the registry; from then on selections cost no
// request and go by what was last known while the registry is away. A service
// that is not selected for ten minutes is followed no longer. Close ends the
// following. Given to a client, the selector is not asked: the client chooses from
// its own view of the services, with this selector's registry and strategy.
func NewSelector(opts ...Option) Selector {
	b := &builtin{}
	_ = b.Init(opts...) // cannot fail
	return b
}

// builtin selects from a live view of its registry.
type builtin struct {
	mu     sync.RWMutex
	opts   Options
	closed bool
	known  *discovery.Directory // nil before the first selection
	source registry.Registry    // what feeds known
}

var _ Selector = (*builtin)(nil)

// Builtin marks the selector of this package for a client that has a better way
// to do the same. It returns the options as they were given (a nil Registry was
// not given) and the name of the strategy, as StrategyName has it. A selector that embeds the Selector interface
// does not have this method, so a wrapped selector is never bypassed.
func (b *builtin) Builtin() (given Options, strategy string) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.opts, StrategyName(b.opts.Strategy)
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
	o.Registry = b.registry()
	if o.Strategy == nil {
		o.Strategy = Random
	}
	return o
}

// registry returns the registry in force. The caller holds mu.
func (b *builtin) registry() registry.Registry {
	if b.opts.Registry == nil {
		return registry.DefaultRegistry
	}
	return b.opts.Registry
}

// Mark takes an error for a sign that a node which left the registry without a
// word is really gone. A registered node stays as the registry has it.
func (b *builtin) Mark(_ string, node *registry.Node, err error) {
	b.mu.RLock()
	known := b.known
	b.mu.RUnlock()
	if err != nil && node != nil && known != nil {
		known.Failed(node.Address)
	}
}

func (b *builtin) Reset(string) {}

// Close ends the following of services. Selections return an error from then on.
func (b *builtin) Close() error {
	b.mu.Lock()
	known := b.known
	b.closed, b.known, b.source = true, nil, nil
	b.mu.Unlock()
	if known != nil {
		known.Close()
	}
	return nil
}

func (b *builtin) String() string { return "registry" }

// StrategyName names the strategies of this package, for implementations of
// client.Client: "random", which nil stands for as well, "roundrobin", "leastloaded",
// and empty for one that the program wrote. Each is a top-level function, with one
// address for the life of the process.
func StrategyName(s Strategy) string {
	if s == nil {
		return "random"
	}
	switch reflect.ValueOf(s).Pointer() {
	case reflect.ValueOf(Random).Pointer():
		return "random"
	case reflect.ValueOf(RoundRobin).Pointer():
		return "roundrobin"
	case reflect.ValueOf(LeastLoaded).Pointer():
		return "leastloaded"
	default:
		return ""
	}
}
