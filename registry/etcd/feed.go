package etcd

import (
	"bytes"
	"context"
	"fmt"

	"github.com/rollcall-go/micro/internal/etcd/claim"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
)

// Follow supplies sink with the views of a service, or of all, one Update for
// every change of etcd that touches them.
func (b *backend) Follow(ctx context.Context, name string, sink feed.Sink) error {
	prefix := record.Root
	if name != "" {
		if err := record.CheckName(name); err != nil {
			return fmt.Errorf("follow: %w", err)
		}
		prefix = record.Prefix(name)
	}
	ctx, cancel := b.joined(ctx)
	defer cancel()
	err := b.mirror(ctx, prefix, &follower{sink: sink, tracker: tracker{name: name, skipped: &b.skipped}})
	if err == nil && b.ctx.Err() != nil {
		err = errClosed
	}
	if err != nil {
		return fmt.Errorf("follow %q: %w", name, err)
	}
	return nil
}

// follower makes views of what a mirror tells. The mirror alone uses it.
type follower struct {
	sink    feed.Sink
	tracker tracker
	view    record.View
	begun   bool // the sink has had an Update
}

var _ mirror.Observer = (*follower)(nil)

// Change hands the view after c to the sink, unless nothing came of it.
func (f *follower) Change(c mirror.Change) {
	steps := f.tracker.apply(c)
	changed := !f.begun
	for _, s := range steps {
		switch {
		case s.is == nil:
			f.view.Delete(s.was.id())
		case s.was != nil && bytes.Equal(s.was.value, s.is.value):
			continue // written again, perhaps under another lease
		default:
			f.view.Set(s.is.service)
		}
		changed = true
	}
	if !changed {
		return
	}
	u := feed.Update{
		Services: f.view.Services(),
		Revision: c.Revision,
		Gap:      (c.Reset || c.First) && f.begun,
	}
	for _, s := range steps {
		if s.is == nil && f.view.Get(s.was.id()) == nil {
			u.Departed = append(u.Departed, feed.Departure{
				Service: s.was.service.Name,
				Version: s.was.service.Version,
				Node:    s.was.service.Nodes[0],
				Lease:   s.was.lease,
			})
		}
	}
	f.begun = true
	f.sink.Update(u)
}

// Status hands the state of the mirror on.
func (f *follower) Status(s mirror.Status) {
	f.sink.Status(feed.Status{Live: s.Live, Err: s.Err, Since: s.Since, Confirmed: s.Confirmed})
}

// Expired asks etcd which of the leases behind the departures are gone. A record
// without lease cannot expire.
func (b *backend) Expired(ctx context.Context, gone []feed.Departure) ([]bool, error) {
	expired := make([]bool, len(gone))
	var leases []int64
	var places []int
	for i, d := range gone {
		if d.Lease != 0 {
			leases = append(leases, d.Lease)
			places = append(places, i)
		}
	}
	if len(leases) == 0 {
		return expired, nil
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	alive, err := claim.Alive(ctx, b.current().conn, leases)
	if err != nil {
		return nil, fmt.Errorf("ask for %d leases: %w", len(leases), err)
	}
	for i, place := range places {
		expired[place] = !alive[i]
	}
	return expired, nil
}

// Renews reports that registrations are renewed here.
func (b *backend) Renews() bool { return true }
