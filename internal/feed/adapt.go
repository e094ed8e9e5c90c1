package feed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Of returns the Source that r is or wraps, otherwise an adapter around r. That of a
// registry that stands for another one follows the one that it stands for at the time.
func Of(r registry.Registry) Source {
	if p, ok := ability.As[ability.Placeholder](r); ok {
		return late{p}
	}
	if s, ok := ability.As[Source](r); ok {
		return s
	}
	return Adapt(r)
}

// Adapt makes a Source of a registry that offers the public contract alone. It
// opens a watch, then reads, and applies to what it read the events that came
// meanwhile and come later. It reads again whenever the watch broke, and every
// 30 to 60 s in case the watch lost something.
//
// Watch, GetService and ListServices of such a registry may take no notice of a
// context: Follow does not wait for them when its ctx is done, and stops a
// Watcher that comes too late. It does wait for Next, which Stop releases.
func Adapt(r registry.Registry) Source { return adapter{r} }

type adapter struct{ r registry.Registry }

func (a adapter) Follow(ctx context.Context, name string, sink Sink) error {
	f := &adapterSession{r: a.r, name: name, sink: sink}
	retry := backoff.Backoff{Base: 100 * time.Millisecond, Max: 5 * time.Second}
	for attempt := 0; ; attempt++ {
		began := time.Now()
		err := f.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > retry.Max {
			attempt = 0
		}
		f.reportDown(err)
		wait := time.NewTimer(retry.Ceiling(attempt)/2 + retry.Next(attempt)/2)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil
		}
	}
}

// adapterSession is one call of Follow. One goroutine uses it.
type adapterSession struct {
	r    registry.Registry
	name string
	sink Sink

	view      record.View
	sent      []*registry.Service // what the sink knows
	known     bool                // the sink knows something
	status    Status
	confirmed time.Time
}

// session opens a watch and follows it until it breaks or ctx is done.
func (f *adapterSession) session(ctx context.Context) error {
	w, err := callWithContext(ctx, f.open, registry.Watcher.Stop)
	if err != nil {
		err = fmt.Errorf("watch %q: %w", f.name, err)
		// A registry that cannot be watched is asked again and again.
		services, readErr := callWithContext(ctx, func() ([]*registry.Service, error) { return f.read(ctx) }, nil)
		if readErr != nil {
			return readErr
		}
		f.replace(services)
		return err
	}
	events, stop := follow(w)
	defer stop()
	for {
		services, missed, err := f.readBeside(ctx, events)
		if err != nil {
			return err
		}
		f.replace(services, missed...)
		f.reportLive()
		if err := f.applyUntil(ctx, events, resync()); err != nil {
			return err
		}
	}
}

func (f *adapterSession) open() (registry.Watcher, error) {
	var opts []registry.WatchOption
	if f.name != "" {
		opts = append(opts, registry.WatchService(f.name))
	}
	w, err := f.r.Watch(opts...)
	if err == nil && w == nil {
		err = errors.New("the registry returned no watcher")
	}
	return w, err
}

func (f *adapterSession) read(ctx context.Context) ([]*registry.Service, error) {
	services, err := Read(ctx, f.r, f.name)
	switch {
	case err != nil && f.name == "":
		return nil, fmt.Errorf("list services: %w", err)
	case err != nil:
		return nil, fmt.Errorf("look up %q: %w", f.name, err)
	}
	return services, nil
}

// readBeside reads while it keeps the events that come meanwhile.
func (f *adapterSession) readBeside(ctx context.Context, events <-chan event) ([]*registry.Service, []*registry.Result, error) {
	type answer struct {
		services []*registry.Service
		err      error
	}
	answers := make(chan answer, 1)
	go func() {
		services, err := f.read(ctx)
		answers <- answer{services, err}
	}()
	var missed []*registry.Result
	for {
		select {
		case a := <-answers:
			return a.services, missed, a.err
		case e := <-events:
			if e.err != nil {
				return nil, nil, fmt.Errorf("watch %q: %w", f.name, e.err)
			}
			missed = append(missed, e.result)
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// applyUntil hands events on for as long as said.
func (f *adapterSession) applyUntil(ctx context.Context, events <-chan event, long time.Duration) error {
	over := time.NewTimer(long)
	defer over.Stop()
	for {
		select {
		case e := <-events:
			if e.err != nil {
				return fmt.Errorf("watch %q: %w", f.name, e.err)
			}
			err := f.applyWaiting(e, events)
			f.confirmed = time.Now()
			f.send(false)
			if err != nil {
				return fmt.Errorf("watch %q: %w", f.name, err)
			}
		case <-over.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// applyWaiting applies e and the events that wait behind it, so that one view is
// made for all: making it looks at every node. It returns the error that ended the
// watch, if it came upon that.
func (f *adapterSession) applyWaiting(e event, events <-chan event) error {
	for range eventsAhead {
		f.apply(e.result)
		select {
		case e = <-events:
			if e.err != nil {
				return e.err
			}
		default:
			return nil
		}
	}
	f.apply(e.result)
	return nil
}

// resync returns the time to the next complete reading: around defaults.Resync,
// at random.
func resync() time.Duration {
	return defaults.Resync*2/3 + rand.N(defaults.Resync*2/3)
}

// reportLive tells the sink that the source is live.
func (f *adapterSession) reportLive() {
	if !f.status.Live {
		f.status = Status{Live: true, Since: time.Now(), Confirmed: f.confirmed}
		f.sink.Status(f.status)
	}
}

// reportDown tells the sink that the source is not live, and why.
func (f *adapterSession) reportDown(err error) {
	was := f.status
	if !was.Live && was.Err != nil && was.Err.Error() == err.Error() {
		return
	}
	f.status = Status{Err: err, Since: was.Since, Confirmed: f.confirmed}
	if was.Live || was.Err == nil {
		f.status.Since = time.Now()
	}
	f.sink.Status(f.status)
}
