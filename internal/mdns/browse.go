package mdns

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-go/micro/internal/mdns/txt"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// topic is a name that is browsed: a service, or the list of all of them.
type topic struct {
	service string // "" for the list
	name    string // of the question
	users   int    // who follows it
	used    time.Time

	waits    bool      // a question for it waits until it may leave
	next     time.Time // when it is asked for again
	interval time.Duration

	nodes map[string]*entry // of others, by id
	look  time.Time         // when they are looked at for their age; zero: never

	settleBy time.Time     // when those that wait have waited long enough
	latest   time.Time     // when they have at the latest
	settled  chan struct{} // closed then
	isOver   bool          // settled is closed
}

// Use begins to browse a service, or all if service is "", and keeps on until release
// is called and for a while longer. It returns when those who may know have had the
// time to answer, which is at once for what is browsed already, or when ctx is done;
// then with the error of ctx, and everything known so far.
func (e *Engine) Use(ctx context.Context, service string) (release func(), err error) {
	if err := e.Start(); err != nil {
		return func() {}, err
	}
	used, err := e.use(service)
	if err != nil {
		return func() {}, err
	}
	release = func() { e.release(used) }
	if err := e.await(ctx, used); err != nil {
		return release, err
	}
	if service == "" {
		// By now, most of the names are known.
		for _, t := range e.all() {
			if err := e.await(ctx, t); err != nil {
				return release, err
			}
		}
	}
	return release, nil
}

func (e *Engine) use(service string) (*topic, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, registry.ErrClosed
	}
	t, err := e.topic(service, time.Now())
	if err != nil {
		return nil, err
	}
	t.users++
	e.nudge()
	return t, nil
}

func (e *Engine) release(t *topic) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t.users--
	t.used = time.Now()
}

// all returns the services that are browsed.
func (e *Engine) all() []*topic {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []*topic
	for _, t := range e.browsed {
		all = append(all, t)
	}
	return all
}

// await waits until t has settled.
func (e *Engine) await(ctx context.Context, t *topic) error {
	select {
	case <-t.settled:
		return nil
	default:
	}
	select {
	case <-t.settled:
		return nil
	case <-ctx.Done():
		return settings.Ended(ctx)
	case <-e.ctx.Done():
		return registry.ErrClosed
	}
}

// topic returns the topic of a service, which it begins to browse if nobody does.
func (e *Engine) topic(service string, now time.Time) (*topic, error) {
	t := e.browsed[service]
	if service == "" {
		t = e.listing
	}
	if t != nil {
		t.used = now
		return t, nil
	}
	t = &topic{service: service, used: now, nodes: map[string]*entry{}, settled: make(chan struct{})}
	if service == "" {
		t.name = e.names.listing
		e.listing = t
	} else {
		name, err := txt.Service(service, e.cfg.Domain)
		if err != nil {
			return nil, err
		}
		if len(e.browsed) >= e.bounds.browsed {
			e.drop(now, true)
		}
		if len(e.browsed) >= e.bounds.browsed {
			return nil, fmt.Errorf("browse %q by multicast DNS: %d services are followed already, which is as many as may be", service, e.bounds.browsed)
		}
		t.name = name
		e.browsed[service] = t
	}
	t.latest = now.Add(e.cfg.Absent)
	t.settleBy = t.latest
	e.agenda.add(t.latest, func(now time.Time) { e.settle(t, now) })
	if len(e.services[service]) > 0 || service == "" && len(e.services) > 0 {
		e.answered(t, now) // by ourselves
	}
	e.restart(t, now)
	return t, nil
}

// answered notes that there is somebody: others of the same kind are waited for a
// little.
func (e *Engine) answered(t *topic, now time.Time) {
	if t.isOver {
		return
	}
	t.settleBy = now.Add(Settling)
	if t.settleBy.After(t.latest) {
		t.settleBy = t.latest
	}
	e.agenda.add(t.settleBy, func(now time.Time) { e.settle(t, now) })
}

func (e *Engine) settle(t *topic, now time.Time) {
	if !t.isOver && !now.Before(t.settleBy) {
		t.isOver = true
		close(t.settled)
	}
}
