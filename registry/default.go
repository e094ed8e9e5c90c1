package registry

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/internal/defaults"
)

// ErrNoRegistry is returned, wrapped, by every method of the default registry in a
// program that has linked none: one that imports this package alone.
var ErrNoRegistry = errors.New("no registry chosen")

// DefaultRegistry is what services and clients use that are given no registry.
// It belongs to the program; set it before the first service is made. As long as it
// is what it is at the beginning, it is mDNS, or stands for the registry that the
// command line of the first service chooses by flag or variable, until that service
// ends.
var DefaultRegistry = NewRegistry()

// NewRegistry returns the default registry: multicast DNS, that of registry/mdns,
// which needs no server. It is made at the first use and does nothing before. The
// value has the methods of io.Closer; close it when it is no longer needed.
//
// A program that imports this package alone has not linked it: each method then
// returns an error that says what to import.
func NewRegistry(opts ...Option) Registry {
	p := &placeholder{changed: make(chan struct{}), given: opts}
	for _, o := range opts {
		o(&p.opts)
	}
	return p
}

// Register publishes the service in DefaultRegistry.
func Register(s *Service, opts ...RegisterOption) error {
	return DefaultRegistry.Register(s, opts...)
}

// Deregister removes the service from DefaultRegistry.
func Deregister(s *Service) error {
	return DefaultRegistry.Deregister(s)
}

// GetService looks a name up in DefaultRegistry.
func GetService(name string) ([]*Service, error) {
	return DefaultRegistry.GetService(name)
}

// ListServices lists the services of DefaultRegistry.
func ListServices() ([]*Service, error) {
	return DefaultRegistry.ListServices()
}

// Watch watches DefaultRegistry.
func Watch(opts ...WatchOption) (Watcher, error) {
	return DefaultRegistry.Watch(opts...)
}

// String names the kind of DefaultRegistry.
func String() string {
	return DefaultRegistry.String()
}

// placeholder stands for mDNS, whose package this one must not import, or for the
// registry that a command line chooses, so that whoever was given no registry uses the
// chosen one; see internal/ability.Placeholder.
type placeholder struct {
	mu      sync.Mutex
	given   []Option // for the default
	opts    Options  // what they say
	mdns    Registry // the default, nil until it is needed
	chosen  Registry // nil: none
	changed chan struct{}
	closed  atomic.Bool
}

var (
	_ Registry  = (*placeholder)(nil)
	_ io.Closer = (*placeholder)(nil)
)

// Unwrap returns the registry that was chosen, otherwise the default, nil if there
// is none in the program.
func (p *placeholder) Unwrap() Registry {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.behind()
}

// behind is Unwrap for who holds mu.
func (p *placeholder) behind() Registry {
	if p.chosen == nil && p.mdns == nil && !p.closed.Load() {
		if construct, ok := defaults.Load[func(...Option) Registry](&defaults.Registry); ok {
			p.mdns = construct(p.given...)
		}
	}
	if p.chosen != nil {
		return p.chosen
	}
	return p.mdns
}

// Chosen reports whether a registry was chosen.
func (p *placeholder) Chosen() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.chosen != nil
}

// Changed is closed when another registry is behind this one than now.
func (p *placeholder) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// Choose puts r behind this registry; the first one stays.
func (p *placeholder) Choose(r Registry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.chosen == nil && r != Registry(p) {
		p.put(r)
	}
}

// Forget takes r away again.
func (p *placeholder) Forget(r Registry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if reflect.ValueOf(r).Comparable() && p.chosen == r {
		p.put(nil)
	}
}

// put makes r the chosen one and says so. The caller holds mu.
func (p *placeholder) put(r Registry) {
	p.chosen = r
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *placeholder) Init(opts ...Option) error {
	if r := p.Unwrap(); r != nil {
		return r.Init(opts...)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.given = append(p.given[:len(p.given):len(p.given)], opts...)
	for _, o := range opts {
		o(&p.opts)
	}
	return p.err("use the default registry")
}

func (p *placeholder) Options() Options {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.chosen != nil:
		return p.chosen.Options()
	case p.mdns != nil:
		return p.mdns.Options()
	default:
		return p.opts
	}
}

// Err says why this registry cannot work; a service that would run on it asks
// before it starts.
func (p *placeholder) Err() error {
	r := p.Unwrap()
	if r == nil {
		return p.err("use the default registry")
	}
	if c, ok := r.(interface{ Err() error }); ok {
		return c.Err()
	}
	return nil
}

// Close closes the default, if it was needed. What was chosen is not this registry's.
func (p *placeholder) Close() error {
	p.mu.Lock()
	r := p.mdns
	p.closed.Store(true)
	p.mu.Unlock()
	if c, ok := r.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// err says why there is nothing behind this registry.
func (p *placeholder) err(doing string) error {
	if p.closed.Load() {
		return fmt.Errorf("%s: %w", doing, ErrClosed)
	}
	return fmt.Errorf("%s: %w, and the default, multicast DNS, is not part of this program: "+
		"import github.com/rollcall-go/micro or github.com/rollcall-go/micro/registry/mdns, or give it a registry of your own", doing, ErrNoRegistry)
}

func (p *placeholder) Register(s *Service, opts ...RegisterOption) error {
	if r := p.Unwrap(); r != nil {
		return r.Register(s, opts...)
	}
	return p.err("register " + nameOf(s))
}

func (p *placeholder) Deregister(s *Service, opts ...DeregisterOption) error {
	if r := p.Unwrap(); r != nil {
		return r.Deregister(s, opts...)
	}
	return p.err("deregister " + nameOf(s))
}

// nameOf quotes the name of a service that may be nil.
func nameOf(s *Service) string {
	if s == nil {
		return "nothing"
	}
	return fmt.Sprintf("%q", s.Name)
}

func (p *placeholder) GetService(name string, opts ...GetOption) ([]*Service, error) {
	if r := p.Unwrap(); r != nil {
		return r.GetService(name, opts...)
	}
	return nil, p.err(fmt.Sprintf("look up %q", name))
}

func (p *placeholder) ListServices(opts ...ListOption) ([]*Service, error) {
	if r := p.Unwrap(); r != nil {
		return r.ListServices(opts...)
	}
	return nil, p.err("list services")
}

func (p *placeholder) Watch(opts ...WatchOption) (Watcher, error) {
	if r := p.Unwrap(); r != nil {
		return r.Watch(opts...)
	}
	return nil, p.err("watch")
}

// String names what is behind; nothing is made for that.
func (p *placeholder) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.chosen != nil:
		return p.chosen.String()
	case p.mdns != nil:
		return p.mdns.String()
	default:
		return "mdns"
	}
}
