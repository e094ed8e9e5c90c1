package selector

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Select chooses among the nodes that are registered and, if there is none, among
// those that left without a word a short while ago. The first selection of a
// service waits for the registry, up to its Timeout.
func (b *builtin) Select(service string, opts ...SelectOption) (Next, error) {
	o := b.Options()
	var so SelectOptions
	for _, opt := range opts {
		opt(&so)
	}
	if so.Strategy == nil {
		so.Strategy = o.Strategy
	}
	s, err := b.look(so.Context, service)
	if err != nil {
		return nil, fmt.Errorf("select a node: %w", err)
	}
	live, suspects := s.Nodes, s.Suspects
	if len(live) == 0 && len(suspects) == 0 {
		return nil, ErrNotFound
	}

	strategy := StrategyName(so.Strategy)
	if len(so.Filters) == 0 && strategy != "" {
		if len(live) == 0 {
			live = suspects
		}
		return inTurn(s, strategy, live), nil
	}
	services := filtered(s.Services, so.Filters)
	if len(nodesOf(services)) == 0 && len(suspects) > 0 {
		services = filtered(s.Routing, so.Filters)
	}
	if len(services) == 0 {
		return nil, ErrNoneAvailable
	}
	if strategy != "" {
		return inTurn(s, strategy, nodesOf(services)), nil
	}
	return so.Strategy(services), nil
}

// inTurn yields copies of nodes by one of the strategies of this package. Round
// robin goes on where the last selection of the service left off.
func inTurn(s *discovery.Snapshot, strategy string, nodes []*registry.Node) Next {
	if len(nodes) == 0 {
		return func() (*registry.Node, error) { return nil, ErrNoneAvailable }
	}
	return func() (*registry.Node, error) {
		var i uint64
		if strategy == "roundrobin" {
			i = s.Turn() % uint64(len(nodes))
		} else {
			i = rand.Uint64N(uint64(len(nodes)))
		}
		return record.CopyNode(nodes[i]), nil
	}
}

// filtered returns what the filters leave of services, in copies of the caller's
// own.
func filtered(services []*registry.Service, filters []Filter) []*registry.Service {
	services = record.Copy(services)
	for _, filter := range filters {
		services = filter(services)
	}
	return services
}

// look returns what is known of the service. ctx may be nil.
func (b *builtin) look(ctx context.Context, service string) (*discovery.Snapshot, error) {
	if err := record.CheckName(service); err != nil {
		return nil, err
	}
	known, r, err := b.directory()
	if err != nil {
		return nil, err
	}
	s := known.Lookup(service)
	if s.Known {
		return s, nil
	}
	ctx, cancel := discovery.WithTimeout(ctx, r)
	defer cancel()
	for {
		if err := ability.Check(r); err != nil {
			return nil, err
		}
		s, err = known.Wait(ctx, service)
		if !errors.Is(err, discovery.ErrClosed) {
			return s, err
		}
		// Another registry was set meanwhile, or Close called.
		if known, r, err = b.directory(); err != nil {
			return nil, err
		}
	}
}

// directory returns what follows services, and in which registry, made anew should
// another one have been in use.
func (b *builtin) directory() (*discovery.Directory, registry.Registry, error) {
	b.mu.RLock()
	known, source, r, closed := b.known, b.source, b.registry(), b.closed
	b.mu.RUnlock()
	if !closed && known != nil && ability.Same(source, r) {
		return known, source, nil
	}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil, nil, ErrClosed
	}
	var old *discovery.Directory
	if r = b.registry(); b.known == nil || !ability.Same(b.source, r) {
		old = b.known
		b.known = discovery.New(feed.Of(r), discovery.Options{Disk: discovery.DiskOf(r)})
		b.source = r
	}
	known = b.known
	b.mu.Unlock()
	if old != nil {
		old.Close()
	}
	return known, r, nil
}
