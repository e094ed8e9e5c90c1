package registry

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// ErrNoRegistry is returned, wrapped, by every method of the default registry
// until a program chooses a backend.
var ErrNoRegistry = errors.New("no registry chosen")

// DefaultRegistry is what services and clients use that are given no registry.
// It belongs to the program; set it before the first service is made. As long as it
// is what it is at the beginning, it stands for the registry that the command line of
// the first service chooses by flag or variable, until that service ends.
var DefaultRegistry = NewRegistry()

// NewRegistry returns the default registry: mDNS, which is not part of this
// release. Until it is, each method that would need it returns an error that
// names what to choose instead; no other backend is put in its place silently.
func NewRegistry(opts ...Option) Registry {
	u := &missing{ready: make(chan struct{})}
	for _, o := range opts {
		o(&u.opts)
	}
	return u
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

// missing stands where mDNS will be. A command line that chooses a registry puts it
// behind the default one, so that whoever was given no registry uses the chosen
// one; see internal/ability.Placeholder.
type missing struct {
	mu     sync.Mutex
	opts   Options
	chosen Registry      // nil: none yet
	ready  chan struct{} // closed when there is one
}

var _ Registry = (*missing)(nil)

// Unwrap returns the registry that was chosen, nil until then.
func (u *missing) Unwrap() Registry {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.chosen
}

// Chosen is closed when there is a registry behind this one.
func (u *missing) Chosen() <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ready
}

// Choose puts r behind this registry; the first one stays.
func (u *missing) Choose(r Registry) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.chosen == nil && r != Registry(u) {
		u.chosen = r
		close(u.ready)
	}
}

// Forget takes r away again.
func (u *missing) Forget(r Registry) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if reflect.ValueOf(r).Comparable() && u.chosen == r {
		u.chosen, u.ready = nil, make(chan struct{})
	}
}

func (u *missing) Init(opts ...Option) error {
	if r := u.Unwrap(); r != nil {
		return r.Init(opts...)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, o := range opts {
		o(&u.opts)
	}
	return u.err("use the default registry")
}

func (u *missing) Options() Options {
	if r := u.Unwrap(); r != nil {
		return r.Options()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.opts
}

// Err says why this registry cannot work; a service that would run on it asks
// before it starts.
func (u *missing) Err() error {
	r := u.Unwrap()
	if r == nil {
		return u.err("use the default registry")
	}
	if c, ok := r.(interface{ Err() error }); ok {
		return c.Err()
	}
	return nil
}

func (u *missing) err(doing string) error {
	return fmt.Errorf("%s: %w: the default, mdns, is not in this release; "+
		"choose etcd with --registry=etcd or MICRO_REGISTRY=etcd, or in code with micro.Registry(etcd.NewRegistry()), "+
		"which is for that service alone (`micro server` starts an etcd)", doing, ErrNoRegistry)
}

func (u *missing) Register(s *Service, opts ...RegisterOption) error {
	if r := u.Unwrap(); r != nil {
		return r.Register(s, opts...)
	}
	return u.err("register " + nameOf(s))
}

func (u *missing) Deregister(s *Service, opts ...DeregisterOption) error {
	if r := u.Unwrap(); r != nil {
		return r.Deregister(s, opts...)
	}
	return u.err("deregister " + nameOf(s))
}

// nameOf quotes the name of a service that may be nil.
func nameOf(s *Service) string {
	if s == nil {
		return "nothing"
	}
	return fmt.Sprintf("%q", s.Name)
}

func (u *missing) GetService(name string, opts ...GetOption) ([]*Service, error) {
	if r := u.Unwrap(); r != nil {
		return r.GetService(name, opts...)
	}
	return nil, u.err(fmt.Sprintf("look up %q", name))
}

func (u *missing) ListServices(opts ...ListOption) ([]*Service, error) {
	if r := u.Unwrap(); r != nil {
		return r.ListServices(opts...)
	}
	return nil, u.err("list services")
}

func (u *missing) Watch(opts ...WatchOption) (Watcher, error) {
	if r := u.Unwrap(); r != nil {
		return r.Watch(opts...)
	}
	return nil, u.err("watch")
}

func (u *missing) String() string {
	if r := u.Unwrap(); r != nil {
		return r.String()
	}
	return "mdns"
}
