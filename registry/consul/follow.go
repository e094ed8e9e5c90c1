package consul

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/feed"
)

const (
	// hold is about how long an agent holds an answer back while nothing changes. An
	// agent that hangs is noticed a few seconds later.
	hold = 10 * time.Second
	// pollEvery is the mean time between two readings of a service for which there is
	// no blocking query left.
	pollEvery = 2 * time.Second
	// Changes that follow one another are read at once up to burst, and then one in
	// every spacing, with all that came meanwhile.
	burst   = 10
	spacing = 50 * time.Millisecond
)

// observer is told what a follower learns. Its calls come one at a time.
type observer interface {
	change(change)
	status(feed.Status)
}

// follower learns about one service, or all. One goroutine uses it.
type follower struct {
	b    *backend
	name string // "" for all
	o    observer

	known     known
	index     uint64 // of the answer that is known
	begun     bool   // the observer had a change
	lost      bool   // something happened that was not seen, perhaps
	state     feed.Status
	said      bool // the observer had a status
	confirmed time.Time
}

// follow tells o about a service, or all, until ctx is done, over one link after the
// other as Init changes them. It returns an error for what can never work.
func (b *backend) follow(ctx context.Context, name string, o observer) error {
	f := &follower{b: b, name: name, o: o, known: known{}}
	retry := backoff.Backoff{Base: 100 * time.Millisecond, Max: 500 * time.Millisecond}
	for failed := 0; ; {
		l := b.current()
		if err := l.client.Err(); err != nil {
			return err
		}
		using, cancel := context.WithCancel(ctx)
		detach := context.AfterFunc(l.ctx, cancel)
		answered, err := f.session(using, l)
		detach()
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case l.ctx.Err() != nil: // by Init
			f.lost, f.index = f.begun, 0 // another Consul counts by itself
			failed = 0
			continue
		}
		f.down(err)
		if f.lost = f.begun; answered {
			failed = 0
		}
		wait := retry.Ceiling(failed)/2 + retry.Next(failed)/2
		if consul.Crowded(err) { // by others too, which all try again
			wait = spread(pollEvery)
		}
		if !pause(ctx, wait) {
			return nil
		}
		failed++
	}
}

// session follows over l until something fails or ctx is done. It reports whether
// there was an answer at all.
func (f *follower) session(ctx context.Context, l *link) (answered bool, err error) {
	if f.name == "" {
		return f.all(ctx, l)
	}
	pace := pacer{tokens: burst, at: time.Now()}
	var index uint64
	for {
		entries, about, err := f.ask(ctx, l, index)
		if err != nil {
			return answered, err
		}
		if about.Index < f.index {
			// A server that lags behind, as it may for as long as there is no leader, or a
			// Consul that lost what it knew: the leader knows which.
			entries, about, err = l.client.Service(ctx, f.name, consul.Query{Connect: l.connect})
			if err != nil {
				return answered, err
			}
			f.lost = f.lost || about.Index < f.index
		}
		answered = true
		if about.Index != index || f.lost {
			d := decoder{before: f.known[f.name]}
			rows := d.rows(f.name, entries)
			f.b.skipped.Add(d.skipped)
			f.tell(f.known.replace(f.name, rows), about.Index)
		}
		index, f.index = about.Index, about.Index
		f.up(about.Leaderless)
		if !pace.wait(ctx) {
			return answered, ctx.Err()
		}
	}
}

// ask reads the service once it has another index than the given one.
func (f *follower) ask(ctx context.Context, l *link, index uint64) ([]consul.Entry, consul.Answer, error) {
	q := consul.Query{Stale: !l.strict, Connect: l.connect}
	done, ok := f.b.block(ctx, index, &q)
	if !ok {
		return nil, consul.Answer{}, ctx.Err()
	}
	defer done()
	return l.client.Service(ctx, f.name, q)
}

// block makes q wait for another index than the given one, unless that is zero. Where
// as many queries wait as may, it waits a while itself, and reports false if ctx is done
// before. The caller calls done after the query.
func (b *backend) block(ctx context.Context, index uint64, q *consul.Query) (done func(), ok bool) {
	done = func() {}
	if index == 0 {
		return done, true
	}
	select {
	case b.queries <- struct{}{}:
		q.Index, q.Wait = index, spread(hold)
		return func() { <-b.queries }, true
	default:
		return done, pause(ctx, spread(pollEvery))
	}
}

// spread returns a time around d, at random, so that followers do not ask in step.
func spread(d time.Duration) time.Duration {
	return d*9/10 + backoff.Backoff{Base: d / 5}.Next(0)
}

// tell hands steps to the observer, unless nothing came of them.
func (f *follower) tell(steps []step, index uint64) {
	if len(steps) == 0 && f.begun {
		f.lost = false
		return
	}
	f.o.change(change{steps: steps, revision: int64(index), first: !f.begun, gap: f.lost && f.begun})
	f.begun, f.lost = true, false
}

// errLeaderless says that what Consul answers may be old.
var errLeaderless = errors.New("the servers of Consul have no leader at present")

// up notes an answer.
func (f *follower) up(leaderless bool) {
	if leaderless {
		f.down(errLeaderless)
		return
	}
	f.confirmed = time.Now()
	if !f.state.Live {
		f.state = feed.Status{Live: true, Since: f.confirmed, Confirmed: f.confirmed}
		f.said = true
		f.o.status(f.state)
	}
}

// down notes that there is no answer, or one that nobody vouches for.
func (f *follower) down(err error) {
	was := f.state
	if f.said && !was.Live && was.Err.Error() == err.Error() {
		return
	}
	f.state = feed.Status{Err: err, Since: was.Since, Confirmed: f.confirmed}
	if was.Live || !f.said {
		f.state.Since = time.Now()
	}
	f.said = true
	f.o.status(f.state)
}

// pacer lets a burst pass and then one at a time.
type pacer struct {
	tokens float64
	at     time.Time
}

// wait takes a token, waiting for one if there is none. It reports false when ctx is
// done before.
func (p *pacer) wait(ctx context.Context) bool {
	now := time.Now()
	p.tokens = min(burst, p.tokens+float64(now.Sub(p.at))/float64(spacing))
	p.at = now
	p.tokens--
	if p.tokens >= 0 {
		return ctx.Err() == nil
	}
	return pause(ctx, time.Duration(-p.tokens*float64(spacing)))
}
