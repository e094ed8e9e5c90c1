// Package mdns is the registry without a server: services find one another by
// multicast DNS, on this host and on the networks that it is directly on.
package mdns

import (
	"errors"
	"sync"

	"github.com/rollcall-go/micro/registry"
)

// NewRegistry returns a registry on multicast DNS. It does no I/O and starts
// nothing before the first use. The value has the methods of io.Closer; close it
// when it is no longer needed.
func NewRegistry(opts ...registry.Option) registry.Registry {
	b := &backend{}
	for _, o := range opts {
		o(&b.opts)
	}
	return b
}

type backend struct {
	mu   sync.Mutex
	opts registry.Options
}

var errUnfinished = errors.New("the mdns registry does not work yet")

func (b *backend) Init(opts ...registry.Option) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range opts {
		o(&b.opts)
	}
	return nil
}

func (b *backend) Options() registry.Options {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opts
}

func (b *backend) Register(*registry.Service, ...registry.RegisterOption) error {
	return errUnfinished
}

func (b *backend) Deregister(*registry.Service, ...registry.DeregisterOption) error {
	return errUnfinished
}

func (b *backend) GetService(string, ...registry.GetOption) ([]*registry.Service, error) {
	return nil, errUnfinished
}

func (b *backend) ListServices(...registry.ListOption) ([]*registry.Service, error) {
	return nil, errUnfinished
}

func (b *backend) Watch(...registry.WatchOption) (registry.Watcher, error) {
	return nil, errUnfinished
}

// String returns "mdns".
func (b *backend) String() string { return "mdns" }
