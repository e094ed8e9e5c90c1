package memory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Follow supplies sink with the views of a service, or of all. The source is
// always live.
func (r *Registry) Follow(ctx context.Context, name string, sink feed.Sink) error {
	if name != "" {
		if err := record.CheckName(name); err != nil {
			return fmt.Errorf("follow: %w", err)
		}
	}
	now := time.Now()
	sink.Status(feed.Status{Live: true, Since: now, Confirmed: now})
	var last []*registry.Service
	for first := true; ; first = false {
		services, revision, changed, err := r.look(name)
		if err != nil {
			return fmt.Errorf("follow %q: %w", name, err)
		}
		if first || !slices.Equal(services, last) {
			gone := feed.Departed(last, services)
			for i := range gone {
				gone[i].Cause = r.cause(record.ID{Service: gone[i].Service, Node: gone[i].Node.Id})
			}
			sink.Update(feed.Update{Services: services, Revision: revision, Departed: gone})
			last = services
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// cause returns why a node that is gone went.
func (r *Registry) cause(id record.ID) feed.Cause {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, expired := r.expired[id]; expired {
		return feed.Expired
	}
	return feed.Deleted
}

// look returns the shared view of a service, or of all, and what is closed when
// it is no longer the present one.
func (r *Registry) look(name string) (services []*registry.Service, revision int64, changed <-chan struct{}, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, 0, nil, registry.ErrClosed
	}
	services = r.view.Services()
	if name != "" {
		services = record.Named(services, name)
	}
	return services, r.revision, r.changed, nil
}
