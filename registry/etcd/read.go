package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// GetService asks etcd for the versions of the named service.
func (b *backend) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	if err := record.CheckName(name); err != nil {
		return nil, fmt.Errorf("look up: %w", err)
	}
	var o registry.GetOptions
	for _, opt := range opts {
		opt(&o)
	}
	doing := fmt.Sprintf("look up %q", name)
	records, err := b.read(o.Context, doing, func(l layout.Layout) string { return l.Service(name) })
	if err != nil {
		return nil, err
	}
	// Names that differ only in "/" and "-" have one prefix.
	services := record.Named(record.Group(records), name)
	if len(services) == 0 {
		// As it is: programs for v2 compare with ==.
		return nil, registry.ErrNotFound
	}
	return services, nil
}

// ListServices asks etcd for all services, with their nodes, one entry per
// version.
func (b *backend) ListServices(opts ...registry.ListOption) ([]*registry.Service, error) {
	var o registry.ListOptions
	for _, opt := range opts {
		opt(&o)
	}
	records, err := b.read(o.Context, "list services", layout.Layout.Services)
	if err != nil {
		return nil, err
	}
	return record.Group(records), nil
}

// Names asks etcd for the names of all services, by their keys alone: a "/" in a
// name reads as "-".
func (b *backend) Names(ctx context.Context) ([]string, error) {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	var names []string
	err := b.do(ctx, "list names", func(ctx context.Context, c *clientv3.Client, l layout.Layout) error {
		answer, err := c.Get(ctx, l.Services(), clientv3.WithPrefix(), clientv3.WithKeysOnly())
		if err != nil {
			return err
		}
		names = nil
		for _, kv := range answer.Kvs { // in order
			name, _, ok := strings.Cut(strings.TrimPrefix(string(kv.Key), l.Services()), "/")
			if ok && (len(names) == 0 || names[len(names)-1] != name) && record.CheckName(name) == nil {
				names = append(names, name)
			}
		}
		slices.Sort(names) // keys sort "a-b/" before "a/"
		return nil
	})
	return names, err
}

// Paused asks etcd which nodes of the service an operator has taken out.
func (b *backend) Paused(ctx context.Context, service string) ([]string, error) {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	var nodes []string
	err := b.do(ctx, fmt.Sprintf("ask who of %q is paused", service), func(ctx context.Context, c *clientv3.Client, l layout.Layout) error {
		prefix := l.PausesOf(service)
		answer, err := c.Get(ctx, prefix, clientv3.WithPrefix(), clientv3.WithKeysOnly())
		if err != nil {
			return err
		}
		nodes = nil
		for _, kv := range answer.Kvs {
			nodes = append(nodes, strings.TrimPrefix(string(kv.Key), prefix))
		}
		return nil
	})
	return nodes, err
}

// read returns the records below prefix, in the order of their keys.
func (b *backend) read(caller context.Context, doing string, prefix func(layout.Layout) string) ([]*registry.Service, error) {
	ctx, cancel := b.bound(caller)
	defer cancel()
	var records []*registry.Service
	err := b.do(ctx, doing, func(ctx context.Context, c *clientv3.Client, l layout.Layout) error {
		answer, err := c.Get(ctx, prefix(l), clientv3.WithPrefix())
		if err != nil {
			return err
		}
		records = make([]*registry.Service, 0, len(answer.Kvs))
		for _, kv := range answer.Kvs {
			s, err := l.Decode(string(kv.Key), kv.Value)
			switch {
			case err == nil:
				records = append(records, s)
			case !errors.Is(err, layout.ErrLeaving):
				b.skipped.Add(1)
			}
		}
		return nil
	})
	return records, err
}

// do calls f with a client and the layout of its keys. Should Init change the connection meanwhile, f is
// called again.
func (b *backend) do(ctx context.Context, doing string, f func(context.Context, *clientv3.Client, layout.Layout) error) error {
	for {
		l := b.current()
		if err := l.err(); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		err := l.conn.Do(ctx, doing, func(ctx context.Context, c *clientv3.Client) error { return f(ctx, c, l.layout) })
		switch {
		case err == nil:
			return nil
		case b.ctx.Err() != nil:
			return fmt.Errorf("%s: %w", doing, registry.ErrClosed)
		case ctx.Err() == nil && l.ctx.Err() != nil:
			continue
		}
		return err
	}
}
