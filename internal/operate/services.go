package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// Services returns every service with its nodes, one entry per version. Some registries
// list names alone; of those it is the first complete view that the registry supplies
// until ctx is done.
func Services(ctx context.Context, r registry.Registry) ([]*registry.Service, error) {
	listed, err := r.ListServices(registry.ListContext(ctx))
	if err != nil || !slices.ContainsFunc(listed, func(s *registry.Service) bool { return len(s.Nodes) == 0 }) {
		return listed, err
	}
	following, cancel := context.WithCancel(ctx)
	defer cancel()
	first := &firstView{seen: cancel}
	if err := feed.Of(r).Follow(following, "", first); err != nil {
		return nil, fmt.Errorf("list the nodes of all services: %w", err)
	}
	if !first.known {
		return nil, fmt.Errorf("list the nodes of all services: %w", errors.Join(context.Cause(ctx), first.err))
	}
	return first.services, nil
}

// firstView waits for a view. The source alone uses it until it has ended.
type firstView struct {
	seen     func()
	known    bool
	services []*registry.Service
	err      error // why there is none
}

var _ feed.Sink = (*firstView)(nil)

// Update takes the first view.
func (f *firstView) Update(u feed.Update) {
	if !f.known {
		f.known, f.services = true, u.Services
		f.seen()
	}
}

// Status notes why there is none.
func (f *firstView) Status(s feed.Status) { f.err = s.Err }
