package consul

import (
	"context"
	"fmt"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Follow supplies sink with the views of a service, or of all. The revision is the
// index of Consul's answer.
func (b *backend) Follow(ctx context.Context, name string, sink feed.Sink) error {
	if err := checkFollowed(name); err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	ctx, cancel := b.joined(ctx)
	defer cancel()
	err := b.follow(ctx, name, &feeder{sink: sink})
	if err == nil && b.ctx.Err() != nil {
		err = registry.ErrClosed
	}
	if err != nil {
		return fmt.Errorf("follow %q: %w", name, err)
	}
	return nil
}

// checkFollowed returns why nobody can follow the service, nil if somebody can. ""
// stands for all.
func checkFollowed(name string) error {
	if name == "" {
		return nil
	}
	if err := record.CheckName(name); err != nil {
		return err
	}
	if why := unfit(name); why != "" {
		return fmt.Errorf("the service name %q %s", name, why)
	}
	return nil
}

// feeder makes views of what a follower learns. The follower alone uses it.
type feeder struct {
	sink feed.Sink
	view record.View
}

func (f *feeder) change(c change) {
	for _, s := range c.steps {
		if s.is == nil {
			f.view.Delete(s.was.id())
		} else {
			f.view.Set(s.is.service)
		}
	}
	u := feed.Update{Services: f.view.Services(), Revision: c.revision, Gap: c.gap}
	for _, s := range c.steps {
		if s.is == nil && f.view.Get(s.was.id()) == nil {
			u.Departed = append(u.Departed, s.departure())
		}
	}
	f.sink.Update(u)
}

func (f *feeder) status(s feed.Status) { f.sink.Status(s) }

// Resolve looks at what has become of the records of nodes that left. One that is
// there says why it is not listed. One that is not was deregistered, if its agent is
// still the one that it was; an agent that lost its data has another id.
func (b *backend) Resolve(ctx context.Context, gone []feed.Departure) ([]feed.Cause, error) {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	causes := make([]feed.Cause, len(gone))
	services := map[string]map[token]*row{}
	agents := map[string]string{}
	for i, d := range gone {
		causes[i] = d.Cause
		t, ok := d.Token.(token)
		if !ok {
			continue
		}
		rows, asked := services[t.service]
		if !asked {
			var err error
			if rows, err = b.rowsByToken(ctx, t.service); err != nil {
				return nil, err
			}
			services[t.service] = rows
		}
		if r := rows[t]; r != nil {
			if cause := r.cause(); cause != feed.Unknown {
				causes[i] = cause
			}
			continue
		}
		if d.Cause != feed.Unknown {
			continue
		}
		id, asked := agents[t.agent]
		if !asked {
			err := b.do(ctx, func(ctx context.Context, l *link) (err error) {
				id, err = l.client.NodeID(ctx, t.agent)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("ask about the agent %q: %w", t.agent, err)
			}
			agents[t.agent] = id
		}
		if id != "" && id == t.agentID {
			causes[i] = feed.Deleted
		}
	}
	return causes, nil
}

// rowsByToken returns the rows of a service as its leader has them.
func (b *backend) rowsByToken(ctx context.Context, service string) (map[token]*row, error) {
	var entries []consul.Entry
	err := b.do(ctx, func(ctx context.Context, l *link) (err error) {
		entries, _, err = l.client.Service(ctx, service, consul.Query{Connect: l.connect})
		return err
	})
	if err != nil {
		return nil, err
	}
	var d decoder
	rows := map[token]*row{}
	for _, r := range d.rows(service, entries) {
		rows[r.token] = r
	}
	return rows, nil
}
