package registry

import (
	"errors"
	"fmt"
	"sync"
)

// ErrNoRegistry is returned, wrapped, by every method of the default registry
// until a program chooses a backend.
var ErrNoRegistry = errors.New("no registry chosen")

// DefaultRegistry is what services and clients use that are given no registry.
// It belongs to the program; set it before the first service is made.
var DefaultRegistry = NewRegistry()

// NewRegistry returns the default registry: mDNS, which is not part of this
// release. Until it is, each method that would need it returns an error that
// names what to choose instead; no other backend is put in its place silently.
func NewRegistry(opts ...Option) Registry {
	u := &unset{}
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

// unset stands where mDNS will be.
type unset struct {
	mu   sync.Mutex
	opts Options
}

var _ Registry = (*unset)(nil)

func (u *unset) Init(opts ...Option) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, o := range opts {
		o(&u.opts)
	}
	return u.err("set up the registry")
}

func (u *unset) Options() Options {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.opts
}

// Err says why this registry can never work; a service that would run on it
// asks before it starts.
func (u *unset) Err() error { return u.err("use the default registry") }

func (u *unset) err(doing string) error {
	return fmt.Errorf("%s: %w: the default, mdns, is not in this release; start one with `micro server` and choose it with --registry=etcd (or MICRO_REGISTRY=etcd, or micro.Registry(etcd.NewRegistry()))", doing, ErrNoRegistry)
}

func (u *unset) Register(s *Service, _ ...RegisterOption) error {
	if s == nil {
		return u.err("register")
	}
	return u.err(fmt.Sprintf("register %q", s.Name))
}

func (u *unset) Deregister(s *Service, _ ...DeregisterOption) error {
	if s == nil {
		return u.err("deregister")
	}
	return u.err(fmt.Sprintf("deregister %q", s.Name))
}

func (u *unset) GetService(name string, _ ...GetOption) ([]*Service, error) {
	return nil, u.err(fmt.Sprintf("look up %q", name))
}

func (u *unset) ListServices(...ListOption) ([]*Service, error) {
	return nil, u.err("list services")
}

func (u *unset) Watch(...WatchOption) (Watcher, error) {
	return nil, u.err("watch")
}

func (u *unset) String() string { return "mdns" }
