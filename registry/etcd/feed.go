package etcd

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Follow supplies sink with the views of a service, or of all, one Update for
// every change of etcd that touches them.
func (b *backend) Follow(ctx context.Context, name string, sink feed.Sink) error {
	if name != "" {
		if err := record.CheckName(name); err != nil {
			return fmt.Errorf("follow: %w", err)
		}
	}
	ctx, cancel := b.joined(ctx)
	defer cancel()
	f := &follower{sink: sink, tracker: tracker{name: name, skipped: &b.skipped}}
	err := b.mirror(ctx, &f.tracker, f)
	if err == nil && b.ctx.Err() != nil {
		err = registry.ErrClosed
	}
	if err != nil {
		return fmt.Errorf("follow %q: %w", name, err)
	}
	return nil
}

// follower makes views of what a mirror tells. The mirror alone uses it, but for the
// view where the sink works changes in late: then the sink does.
type follower struct {
	sink    feed.Sink
	tracker tracker
	view    record.View
	begun   bool // the sink has had an Update
}

var _ mirror.Observer = (*follower)(nil)

// Change hands c to the sink, unless nothing came of it.
func (f *follower) Change(c mirror.Change) {
	steps := slices.DeleteFunc(f.tracker.apply(c), func(s step) bool {
		// Written again, perhaps under another lease.
		return s.was != nil && s.is != nil && s.was.sum == s.is.sum
	})
	if len(steps) == 0 && f.begun {
		return
	}
	gap := (c.Reset || c.First) && f.begun
	f.begun = true
	apply := func() []feed.Departure { return f.apply(steps, gap) }
	if late, ok := f.sink.(feed.LateSink); ok {
		late.UpdateLate(feed.LateUpdate{Apply: apply, View: f.view.Services, Revision: c.Revision, Gap: gap})
		return
	}
	departed := apply()
	f.sink.Update(feed.Update{Services: f.view.Services(), Revision: c.Revision, Gap: gap, Departed: departed})
}

// apply works steps into the view and returns the nodes that left with them.
func (f *follower) apply(steps []step, gap bool) (departed []feed.Departure) {
	for _, s := range steps {
		if s.is == nil {
			f.view.Delete(s.was.id())
		} else {
			f.view.SetNode(s.is.head, s.is.node)
		}
	}
	for _, s := range steps {
		if s.is == nil && f.view.Get(s.was.id()) == nil {
			departed = append(departed, departure(s, gap))
		}
	}
	return departed
}

// departure says as much as the keys show of a node that left in step s.
func departure(s step, gap bool) feed.Departure {
	d := feed.Departure{Service: s.was.head.Name, Version: s.was.head.Version, Node: s.was.node}
	switch {
	case s.leaving:
		d.Cause = feed.Deleted
	case gap: // how it went was not seen
		d.Cause, d.Token = feed.Vanished, token{}
	case d.Node.Metadata[record.Mark] != "": // it would have said so
		d.Cause, d.Token = feed.Vanished, token{s.was.lease}
	case s.was.lease == 0: // nothing else removes it
		d.Cause = feed.Deleted
	default:
		d.Token = token{s.was.lease}
	}
	return d
}

// Status hands the state of the mirror on.
func (f *follower) Status(s mirror.Status) {
	f.sink.Status(feed.Status{Live: s.Live, Err: s.Err, Since: s.Since, Confirmed: s.Confirmed})
}

// Renews reports that registrations are renewed here.
func (b *backend) Renews() bool { return true }

// Yields reports that a registration marked by ability.WithYield takes nothing over.
func (b *backend) Yields() bool { return true }
