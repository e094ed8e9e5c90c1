package multi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Follow supplies sink with the merged views of the members.
//
// The first view comes when all have answered, or with the first node, so that it is
// never empty while a member is silent; of all services it comes when each member has
// answered or said why it does not. From then on the last view of a member counts
// until the next one, also while the member is away.
//
// It is live while all members are. If one is not, the error says which; the
// confirmation is then the oldest. A node has departed when it is in no view any more,
// by the cause that the last member gave, or Deleted if another said so shortly
// before.
func (m *multi) Follow(ctx context.Context, name string, sink feed.Sink) error {
	if name != "" {
		if err := record.CheckName(name); err != nil {
			return fmt.Errorf("follow: %w", err)
		}
	}
	if err := m.usable(); err != nil {
		return fmt.Errorf("follow %q: %w", name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.ctx, cancel)()
	f := &follower{m: m, all: name == "", sink: sink, merge: newMerge(len(m.members)), members: make([]followed, len(m.members)), causes: make(map[record.ID]departed)}
	var running sync.WaitGroup
	errs := make([]error, len(m.members))
	for i, one := range m.members {
		running.Go(func() {
			errs[i] = feed.Of(one.Registry).Follow(ctx, name, memberSink{f, i})
			if errs[i] != nil {
				f.setStatus(i, feed.Status{Err: errs[i], Since: time.Now()})
			}
		})
	}
	running.Wait()
	if m.ctx.Err() != nil {
		return fmt.Errorf("follow %q: %w", name, registry.ErrClosed)
	}
	if ctx.Err() != nil {
		return nil
	}
	var failed failures
	for i, one := range m.members {
		failed.add(one, errs[i])
	}
	return fmt.Errorf("follow %q: %w", name, failed.or(errors.New("the registries stopped")))
}

// follower makes one source of those of the members.
type follower struct {
	m    *multi
	all  bool // of all services
	sink feed.Sink

	mu      sync.Mutex // held while the sink is called
	merge   *merge
	members []followed
	causes  map[record.ID]departed
	sent    []*registry.Service
	begun   bool // the sink has a view
	status  feed.Status
	told    bool // the sink has a status
}

// followed is how it stands with one member.
type followed struct {
	answered bool // it has given a view
	status   feed.Status
}

// departed is why a node left a member while another one still had it, or has left
// the last one.
type departed struct {
	at     time.Time
	member int
	feed.Departure
}

// memberSink takes what one member supplies.
type memberSink struct {
	f    *follower
	from int
}

func (s memberSink) Update(u feed.Update)  { s.f.update(s.from, u) }
func (s memberSink) Status(st feed.Status) { s.f.setStatus(s.from, st) }

// update takes over a view of a member.
func (f *follower) update(from int, u feed.Update) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.members[from].answered = true
	if f.members[from].status.Since.IsZero() { // an answer says as much as a status
		f.members[from].status = feed.Status{Live: true, Since: now, Confirmed: now}
	}
	for id, d := range f.causes {
		if now.Sub(d.at) > defaults.SuspectWindow {
			delete(f.causes, id)
		}
	}
	why := make(map[record.ID]departed, len(u.Departed))
	for _, d := range u.Departed {
		why[record.ID{Service: d.Service, Node: d.Node.Id}] = departed{now, from, d}
	}
	f.send(f.merge.replace(from, u.Services), u.Gap, why)
	for id, d := range why {
		if before, ok := f.causes[id]; !ok || before.Cause != feed.Deleted {
			f.causes[id] = d
		}
	}
	f.tell()
}

// setStatus takes over how well a member is connected.
func (f *follower) setStatus(from int, s feed.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.Since.IsZero() {
		s.Since = time.Now()
	}
	f.members[from].status = s
	f.send(f.merge.setAway(from, !s.Live), false, nil)
	f.tell()
}

// send hands the merged view to the sink if it is due, and differs from the one
// before in one of the nodes.
func (f *follower) send(about []record.ID, gap bool, why map[record.ID]departed) {
	var gone []feed.Departure
	for _, id := range unique(about) {
		was, now := f.merge.settle(id)
		switch {
		case was != nil && now == nil:
			gone = append(gone, f.departure(id, was, why))
		case was == nil && now != nil:
			delete(f.causes, id) // why it left before says nothing of the next time
		}
	}
	services := f.merge.services()
	if !f.begun && !f.due(services) || f.begun && slices.Equal(services, f.sent) {
		return
	}
	u := feed.Update{Services: services, Gap: gap && f.begun}
	if f.begun {
		u.Departed = gone
	}
	f.begun, f.sent = true, services
	f.sink.Update(u)
}

// due reports whether enough is known for a first view.
func (f *follower) due(services []*registry.Service) bool {
	answered, silent := 0, 0
	for _, one := range f.members {
		switch {
		case one.answered:
			answered++
		case !f.all || one.status.Err == nil:
			silent++
		}
	}
	return answered > 0 && silent == 0 || !f.all && len(services) > 0
}

// departure says why a node is in no view any more.
func (f *follower) departure(id record.ID, was *registry.Service, why map[record.ID]departed) feed.Departure {
	d := feed.Departure{Service: was.Name, Version: was.Version, Node: was.Nodes[0]}
	last, ok := why[id]
	if before, known := f.causes[id]; known && (!ok || before.Cause == feed.Deleted) {
		last, ok = before, true
	}
	if ok {
		d.Cause = last.Cause
		if last.Token != nil {
			d.Token = token{last.member, last.Token}
		}
	}
	return d
}

// token is a member's token, and whose it is.
type token struct {
	member int
	inner  any
}

// tell hands the merged status to the sink if it has changed.
func (f *follower) tell() {
	now := feed.Status{Live: true}
	var failed failures
	for i, one := range f.members {
		s := one.status
		if s.Since.IsZero() {
			return // not all have said something
		}
		now.Live = now.Live && s.Live
		if s.Err != nil {
			failed.add(f.m.members[i], s.Err)
		}
		if now.Since.Before(s.Since) {
			now.Since = s.Since
		}
		if now.Confirmed.IsZero() || !s.Confirmed.IsZero() && s.Confirmed.Before(now.Confirmed) {
			now.Confirmed = s.Confirmed
		}
	}
	now.Err = failed.or(nil)
	if f.told && now.Live == f.status.Live && now.Since.Equal(f.status.Since) && now.Confirmed.Equal(f.status.Confirmed) && text(now.Err) == text(f.status.Err) {
		return
	}
	f.told, f.status = true, now
	f.sink.Status(now)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Resolve asks the member that told of each departure for its cause.
func (m *multi) Resolve(ctx context.Context, gone []feed.Departure) ([]feed.Cause, error) {
	causes := make([]feed.Cause, len(gone))
	asked := make(map[int][]int) // departures, by member
	for i, d := range gone {
		causes[i] = d.Cause
		if t, ok := d.Token.(token); ok {
			asked[t.member] = append(asked[t.member], i)
		}
	}
	for from, those := range asked {
		resolver, ok := feed.Of(m.members[from].Registry).(feed.Resolver)
		if !ok {
			continue
		}
		theirs := make([]feed.Departure, len(those))
		for n, i := range those {
			theirs[n] = gone[i]
			theirs[n].Token = gone[i].Token.(token).inner
		}
		answer, err := resolver.Resolve(ctx, theirs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.members[from].label, err)
		}
		for n, i := range those {
			causes[i] = answer[n]
		}
	}
	return causes, nil
}
