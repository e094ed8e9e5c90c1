package mdns

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/mdns"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Follow supplies sink with the views of a service, or of all, the first when those
// who know of it had the time to answer. It is live as long as an interface takes
// multicast.
func (b *backend) Follow(ctx context.Context, name string, sink feed.Sink) error {
	if name != "" {
		if err := record.CheckName(name); err != nil {
			return fmt.Errorf("follow: %w", err)
		}
	}
	f := &follower{engine: b.engine, name: name, sink: sink}
	retry := backoff.Backoff{Base: time.Second, Max: 10 * time.Second}
	for attempt := 0; ; attempt++ {
		err := b.usable()
		if err == nil {
			err = f.follow(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, mdns.ErrNoMulticast) {
			return fmt.Errorf("follow %q: %w", name, err)
		}
		f.report(explain(err), time.Now())
		pause := time.NewTimer(retry.Ceiling(attempt))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil
		}
	}
}

// follower is one call of Follow. One goroutine uses it.
type follower struct {
	engine *mdns.Engine
	name   string
	sink   feed.Sink

	begun     bool
	last      []*registry.Service
	status    feed.Status
	confirmed time.Time
}

// follow hands views over until ctx is done, or until it comes to know why there will
// be none.
func (f *follower) follow(ctx context.Context) error {
	release, err := f.engine.Use(ctx, f.name)
	defer release()
	if err != nil {
		return err
	}
	for {
		v, err := f.engine.Look(f.name)
		if err != nil {
			return err
		}
		if !f.begun || !slices.Equal(v.Services, f.last) {
			f.update(v.Services)
		}
		f.report(explain(v.Down), v.Since)
		select {
		case <-v.Changed:
		case <-ctx.Done():
			return nil
		}
	}
}

func (f *follower) update(services []*registry.Service) {
	gone := feed.Departed(f.last, services)
	for i := range gone {
		gone[i].Cause = feed.Deleted
		if f.engine.Expired(record.ID{Service: gone[i].Service, Node: gone[i].Node.Id}) {
			gone[i].Cause = feed.Expired
		}
	}
	f.begun, f.last, f.confirmed = true, services, time.Now()
	f.sink.Update(feed.Update{Services: services, Departed: gone})
}

// report tells the sink of another status than before.
func (f *follower) report(err error, since time.Time) {
	was := f.status
	known := !was.Since.IsZero()
	if known && (err == nil) == was.Live && (err == nil || err.Error() == was.Err.Error()) {
		return
	}
	if since.IsZero() {
		since = time.Now()
	}
	if err == nil {
		f.confirmed = time.Now()
	}
	f.status = feed.Status{Live: err == nil, Err: err, Since: since, Confirmed: f.confirmed}
	f.sink.Status(f.status)
}
