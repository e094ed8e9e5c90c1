package consul

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// GetService asks Consul for the versions of the named service. Nodes with a critical
// check are left out.
func (b *backend) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	if err := record.CheckName(name); err != nil {
		return nil, fmt.Errorf("look up: %w", err)
	}
	var o registry.GetOptions
	for _, opt := range opts {
		opt(&o)
	}
	ctx, cancel := b.bound(o.Context)
	defer cancel()
	rows, err := b.rowsOf(ctx, name)
	if err != nil {
		return nil, err
	}
	if rows = slices.DeleteFunc(rows, func(s *registry.Service) bool { return s.Name != name }); len(rows) == 0 {
		// As it is: programs for v2 compare with ==.
		return nil, registry.ErrNotFound
	}
	return group(rows), nil
}

// group makes services of records, which the caller may change.
func group(records []*registry.Service) []*registry.Service {
	slices.SortFunc(records, func(a, b *registry.Service) int { return strings.Compare(a.Nodes[0].Id, b.Nodes[0].Id) })
	return record.Group(records)
}

// rowsOf returns the records of the nodes of a service that are to be called.
func (b *backend) rowsOf(ctx context.Context, name string) ([]*registry.Service, error) {
	if unfit(name) != "" {
		return nil, nil // nobody can have registered it
	}
	var entries []consul.Entry
	err := b.do(ctx, func(ctx context.Context, l *link) (err error) {
		entries, _, err = l.client.Service(ctx, name, consul.Query{Stale: !l.strict, Connect: l.connect})
		return err
	})
	if err != nil {
		return nil, err
	}
	var d decoder
	rows := d.rows(name, entries)
	b.skipped.Add(d.skipped)
	return listed(rows), nil
}

// ListServices asks Consul for all services, with their nodes, one entry per version.
// It takes one request for the names and one for each of them.
func (b *backend) ListServices(opts ...registry.ListOption) ([]*registry.Service, error) {
	var o registry.ListOptions
	for _, opt := range opts {
		opt(&o)
	}
	ctx, cancel := b.bound(o.Context)
	defer cancel()
	names, err := b.Names(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var records []*registry.Service
	var hidden error
	err = each(names, func(name string) error {
		some, err := b.rowsOf(ctx, name)
		mu.Lock()
		defer mu.Unlock()
		records = append(records, some...)
		if consul.Forbidden(err) { // its nodes are not to be seen, others may be
			hidden, err = err, nil
		}
		return err
	})
	if err == nil && len(records) == 0 {
		err = hidden
	}
	if err != nil {
		return nil, err
	}
	return group(records), nil
}

// Names asks Consul for the names of all services that are anybody's own: its servers
// are registered there as "consul", which is left out, as nobody can call it.
func (b *backend) Names(ctx context.Context) ([]string, error) {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	var services map[string][]string
	err := b.do(ctx, func(ctx context.Context, l *link) (err error) {
		services, _, err = l.client.Services(ctx, consul.Query{Stale: !l.strict})
		return err
	})
	if err != nil {
		return nil, err
	}
	return namesIn(services), nil
}

// itself is the name under which Consul's servers register themselves.
const itself = "consul"

// namesIn returns the names in an answer that can be looked up, sorted.
func namesIn(services map[string][]string) []string {
	names := slices.Sorted(maps.Keys(services))
	return slices.DeleteFunc(names, func(name string) bool {
		return name == itself || record.CheckName(name) != nil || unfit(name) != ""
	})
}

// Paused asks Consul which nodes of the service an operator has taken out by the
// maintenance mode of the instance or of its agent.
func (b *backend) Paused(ctx context.Context, service string) ([]string, error) {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	if unfit(service) != "" {
		return nil, nil
	}
	var entries []consul.Entry
	err := b.do(ctx, func(ctx context.Context, l *link) (err error) {
		entries, _, err = l.client.Service(ctx, service, consul.Query{Connect: l.connect})
		return err
	})
	if err != nil {
		return nil, err
	}
	var d decoder
	var ids []string
	for id, r := range d.rows(service, entries) {
		if r.health == paused {
			ids = append(ids, id.Node)
		}
	}
	slices.Sort(ids)
	return ids, nil
}
