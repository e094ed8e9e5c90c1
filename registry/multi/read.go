package multi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// grace is how long the members that have not answered yet are waited for when one
// has said enough.
const grace = 500 * time.Millisecond

// lastWords is how long the members are listened to when the time is over: until then
// one that is away waits, and only then says why.
const lastWords = 50 * time.Millisecond

// GetService returns the named service as the members that answer have it, or that it
// is not registered if all of them say so.
func (m *multi) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	if err := record.CheckName(name); err != nil {
		return nil, fmt.Errorf("look up: %w", err)
	}
	var o registry.GetOptions
	for _, opt := range opts {
		opt(&o)
	}
	services, err := m.read(o.Context, name)
	switch {
	case err != nil:
		return nil, doing(fmt.Sprintf("look up %q", name), err)
	case len(services) == 0:
		// As it is: programs for v2 compare with ==.
		return nil, registry.ErrNotFound
	}
	return services, nil
}

// ListServices returns every service that the members that answer have. It is an
// error if they have none and a member does not answer.
func (m *multi) ListServices(opts ...registry.ListOption) ([]*registry.Service, error) {
	var o registry.ListOptions
	for _, opt := range opts {
		opt(&o)
	}
	services, err := m.read(o.Context, "")
	if err != nil {
		return nil, doing("list services", err)
	}
	return services, nil
}

// read merges what the members have of a service, or of all.
func (m *multi) read(ctx context.Context, name string) ([]*registry.Service, error) {
	ask := func(ctx context.Context, one member) ([]*registry.Service, error) {
		return feed.Read(ctx, one.Registry, name)
	}
	answers, err := gather(m, ctx, ask)
	if err != nil {
		return nil, err
	}
	var merged record.View
	for _, services := range slices.Backward(answers) { // the first member has the last word
		for _, s := range services {
			for _, one := range record.Split(s) {
				merged.Set(one)
			}
		}
	}
	return append([]*registry.Service{}, merged.Services()...), nil
}

// Names returns the names of all services that the members that answer have, sorted.
func (m *multi) Names(ctx context.Context) ([]string, error) {
	answers, err := gather(m, ctx, func(ctx context.Context, one member) ([]string, error) {
		if l, ok := ability.As[ability.NameLister](one.Registry); ok {
			return l.Names(ctx)
		}
		services, err := one.ListServices(registry.ListContext(ctx))
		var names []string
		for _, s := range services {
			if s != nil {
				names = append(names, s.Name)
			}
		}
		return names, err
	})
	return union(answers), err
}

// Paused returns the ids of the nodes that are taken out in any of the members that
// answer: a node that is paused in one is kept out of the others.
func (m *multi) Paused(ctx context.Context, service string) ([]string, error) {
	answers, err := gather(m, ctx, func(ctx context.Context, one member) ([]string, error) {
		if p, ok := ability.As[ability.Pauser](one.Registry); ok {
			return p.Paused(ctx, service)
		}
		return nil, nil
	})
	return union(answers), err
}

func union(lists [][]string) []string {
	all := make(map[string]bool)
	for _, list := range lists {
		for _, text := range list {
			all[text] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// gather asks all members at once and returns what they answer, in their order. Once
// one has answered with something, the others get the grace; while none has, they get
// the registry's timeout. If all that answered have nothing and one failed, nothing is
// known, which is an error.
func gather[T any](m *multi, caller context.Context, ask func(context.Context, member) ([]T, error)) ([][]T, error) {
	if err := m.usable(); err != nil {
		return nil, err
	}
	ctx, cancel := m.bound(caller)
	defer cancel()
	type answer struct {
		from int
		list []T
		err  error
	}
	answers := make(chan answer, len(m.members))
	for i, one := range m.members {
		// Ended by ctx. A member that takes no notice of it is not waited for.
		go func() {
			list, err := ask(ctx, one)
			answers <- answer{i, list, err}
		}()
	}
	lists, errs := make([][]T, len(m.members)), make([]error, len(m.members))
	for i := range errs {
		errs[i] = errors.New("it has not answered in time")
	}
	over, found, late := ctx.Done(), false, false
	for left := len(m.members); left > 0; {
		select {
		case a := <-answers:
			left--
			lists[a.from] = a.list
			if !late || a.err != ctx.Err() { // that much is known
				errs[a.from] = a.err
			}
			if len(a.list) > 0 && !found {
				found = true
				waiting, stop := context.WithTimeout(ctx, grace)
				defer stop()
				over = waiting.Done()
			}
			continue
		case <-over:
			if !found && !late && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				late = true
				waiting, stop := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
				defer stop()
				over = waiting.Done()
				continue
			}
		}
		break
	}
	if found {
		return lists, nil
	}
	if m.ctx.Err() != nil {
		return nil, registry.ErrClosed
	}
	if err := settings.Ended(caller); errors.Is(err, context.Canceled) {
		return nil, err
	}
	var failed failures
	for i, one := range m.members {
		failed.add(one, errs[i])
	}
	if err := settings.Ended(caller); err != nil && len(failed) > 0 {
		return nil, fmt.Errorf("%w: %w", err, failed)
	}
	return lists, failed.or(nil)
}

// usable returns an error for a registry without members or one that is closed.
func (m *multi) usable() error {
	if m.ctx.Err() != nil {
		return registry.ErrClosed
	}
	if len(m.members) == 0 {
		return m.err()
	}
	return nil
}

// bound returns the context of one operation: it ends with the caller's, which may be
// nil, with the registry, or after the timeout.
func (m *multi) bound(caller context.Context) (context.Context, context.CancelFunc) {
	if caller == nil {
		return context.WithTimeout(m.ctx, m.timeout())
	}
	ctx, cancel := context.WithTimeout(caller, m.timeout())
	detach := context.AfterFunc(m.ctx, cancel)
	return ctx, func() { detach(); cancel() }
}
