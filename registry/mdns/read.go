package mdns

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-go/micro/internal/mdns"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// GetService returns the versions of the named service. For a service that was looked
// at before, that is what is known; otherwise it is waited for, at most the timeout.
func (b *backend) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	if err := record.CheckName(name); err != nil {
		return nil, fmt.Errorf("look up: %w", err)
	}
	var o registry.GetOptions
	for _, opt := range opts {
		opt(&o)
	}
	services, err := b.read(o.Context, name)
	if err != nil {
		return nil, fmt.Errorf("look up %q: %w", name, err)
	}
	if len(services) == 0 {
		// As it is: programs for v2 compare with ==.
		return nil, registry.ErrNotFound
	}
	return services, nil
}

// ListServices returns every service with its nodes, one entry per version.
func (b *backend) ListServices(opts ...registry.ListOption) ([]*registry.Service, error) {
	var o registry.ListOptions
	for _, opt := range opts {
		opt(&o)
	}
	services, err := b.read(o.Context, "")
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	if services == nil {
		services = []*registry.Service{}
	}
	return services, nil
}

// Names returns the names of all services that have nodes.
func (b *backend) Names(ctx context.Context) ([]string, error) {
	release, err := b.use(ctx, "")
	defer release()
	if err != nil {
		return nil, fmt.Errorf("list names: %w", err)
	}
	return b.engine.Names()
}

// read returns a copy of what is known of a service, or of all for "".
func (b *backend) read(caller context.Context, name string) ([]*registry.Service, error) {
	release, err := b.use(caller, name)
	defer release()
	if err != nil {
		return nil, err
	}
	view, err := b.engine.Look(name)
	if err != nil {
		return nil, err
	}
	return record.Copy(view.Services), nil
}

// use has a service browsed until release is called, and waits until those who know
// of it could answer. Where the timeout is shorter, what came until then is all.
func (b *backend) use(caller context.Context, name string) (release func(), err error) {
	none := func() {}
	if err := b.ready(caller); err != nil {
		return none, err
	}
	if caller == nil {
		caller = context.Background() // bounded below
	}
	ctx, cancel := context.WithTimeoutCause(caller, b.timeout(), errPatience)
	defer cancel()
	release, err = b.engine.Use(ctx, name)
	if errors.Is(err, errPatience) {
		return release, nil
	}
	return release, explain(err)
}

// errPatience ends a wait by the timeout of the registry.
var errPatience = errors.New("the timeout of the registry is over")

// explain names the way out of a host without multicast.
func explain(err error) error {
	if errors.Is(err, mdns.ErrNoMulticast) {
		return fmt.Errorf("%w; where multicast does not work, use a registry with a server: --registry=etcd (`micro server` starts an etcd) or --registry=consul", err)
	}
	return err
}
