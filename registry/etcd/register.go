package etcd

import (
	"errors"
	"fmt"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// maxValue is the largest record that is stored, in bytes. etcd refuses requests
// above 1.5 MiB unless told otherwise.
const maxValue = 1 << 20

// Register publishes every node of s and returns when etcd holds them, or with an
// error after the timeout; then none of them, unless it was registered before, is
// published. Without a time to live the default applies; parts of a second are
// rounded up. A node that an operator paused counts as registered: it is published
// when it is resumed.
func (b *backend) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	if err := record.Check(s); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	var o registry.RegisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	timeless := o.TTL <= 0
	if timeless {
		o.TTL = defaults.RegisterTTL
	}
	values := make([][]byte, len(s.Nodes))
	for i, n := range s.Nodes {
		value, err := layout.Encode(s, n)
		if err != nil {
			return fmt.Errorf("register: %w", err)
		}
		if len(value) > maxValue {
			return fmt.Errorf("register node %q of %q: its record has %d bytes, more than the %d that etcd takes: shorten metadata or endpoints",
				n.Id, s.Name, len(value), maxValue)
		}
		values[i] = value
	}
	if err := settings.Ended(o.Context); err != nil {
		// Nothing is begun that would have to be taken back.
		return fmt.Errorf("register %q: %w", s.Name, err)
	}
	ctx, cancel := b.bound(o.Context)
	defer cancel()

	held, err := b.register(s, values, o.TTL, ability.Generated(o.Context), ability.Yielding(o.Context))
	if err != nil {
		return fmt.Errorf("register %q: %w", s.Name, err)
	}
	for _, h := range held {
		if err = b.await(ctx, h); err != nil {
			err = fmt.Errorf("register node %q of %q: %w", h.id.Node, h.id.Service, err)
			break
		}
	}
	fresh := b.conclude(held, err != nil)
	if timeless {
		for _, id := range fresh {
			// In go-micro v2 it would stay for ever.
			logger.Logf(logger.WarnLevel, "Registry [etcd] Node is registered without a TTL and gets %s: %s", defaults.RegisterTTL, id)
		}
	}
	return err
}

// Deregister removes the nodes of s as far as they were registered here. It
// deletes no record that another process wrote.
func (b *backend) Deregister(s *registry.Service, opts ...registry.DeregisterOption) error {
	if err := record.Check(s); err != nil {
		return fmt.Errorf("deregister: %w", err)
	}
	var o registry.DeregisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	ctx, cancel := b.bound(o.Context)
	defer cancel()
	leaving, err := b.leave(s)
	if err != nil {
		return fmt.Errorf("deregister %q: %w", s.Name, err)
	}
	var errs []error
	for _, h := range leaving {
		// Each is given up at once, even if there is no time left to wait for etcd.
		if err := b.release(ctx, h); err != nil {
			errs = append(errs, fmt.Errorf("deregister node %q of %q: %w", h.id.Node, h.id.Service, err))
		}
	}
	return errors.Join(errs...)
}
