// Package cache answers lookups from memory.
//
// A name that was looked up once is followed in the registry: what changes there
// is known here at once, and a lookup costs no request. While the registry is
// away, what was last known is served.
package cache

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// Cache is a registry whose GetService is answered from memory. Everything else
// goes to the registry behind it.
type Cache interface {
	registry.Registry
	// Stop ends the following of names. Lookups go to the registry from then on.
	// The registry itself is not closed. Stop may be called more than once.
	Stop()
}

// New returns a cache of r. It starts nothing before the first lookup.
func New(r registry.Registry, opts ...Option) Cache {
	o := Options{TTL: DefaultTTL}
	for _, opt := range opts {
		opt(&o)
	}
	return &cache{
		Registry: r,
		known: discovery.New(feed.Of(r), discovery.Options{
			Idle:       max(o.TTL, defaults.SnapshotIdle),
			MaxUnknown: o.MaxUnknownNames,
			Disk:       discovery.DiskOf(r),
		}),
	}
}

type cache struct {
	registry.Registry
	known   *discovery.Directory
	stopped atomic.Bool
}

var (
	_ Cache           = (*cache)(nil)
	_ ability.Wrapper = (*cache)(nil)
)

// GetService returns what is known of the named service; every caller gets a copy
// of its own. The first lookup of a name waits for the registry's answer, up to
// the registry's timeout or the end of the context given.
func (c *cache) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	if c.stopped.Load() {
		return c.Registry.GetService(name, opts...)
	}
	if err := record.CheckName(name); err != nil {
		return nil, fmt.Errorf("look up: %w", err)
	}
	var o registry.GetOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := settings.Ended(o.Context); err != nil {
		return nil, fmt.Errorf("look up %q: %w", name, err)
	}
	s := c.known.Lookup(name)
	if !s.Known {
		var err error
		if s, err = c.wait(o.Context, name); err != nil {
			if c.stopped.Load() {
				return c.Registry.GetService(name, opts...)
			}
			return nil, err
		}
	}
	if len(s.Services) == 0 {
		// As it is: programs for v2 compare with ==.
		return nil, registry.ErrNotFound
	}
	return record.Copy(s.Services), nil
}

func (c *cache) wait(ctx context.Context, name string) (*discovery.Snapshot, error) {
	if err := ability.Check(c.Registry); err != nil {
		return nil, fmt.Errorf("look up %q: %w", name, err)
	}
	ctx, cancel := discovery.WithTimeout(ctx, c.Registry)
	defer cancel()
	return c.known.Wait(ctx, name)
}

// Unwrap returns the registry behind. Whoever needs more than the contract, such as
// a client that follows services by itself, goes there directly.
func (c *cache) Unwrap() registry.Registry { return c.Registry }

// String returns "cache".
func (c *cache) String() string { return "cache" }

func (c *cache) Stop() {
	c.stopped.Store(true)
	c.known.Close()
}
