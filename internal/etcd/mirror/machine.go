package mirror

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/etcd"
)

// tuning holds the times of mirrors and watchdogs. Tests shorten them.
type tuning struct {
	// silence is how long nothing may arrive before the link is probed.
	silence time.Duration
	// probe is how long the answer to a probe may take.
	probe time.Duration
	// resync is the mean time between two listings while all is well. The actual
	// time is drawn between two thirds and four thirds of it.
	resync time.Duration
	// confirm is how long etcd may take to say that a watch stands. Until then
	// nothing tells a watch that hears nothing from one that hears no more. It
	// doubles with every listing in a row whose watch was not confirmed, up to
	// twice silence.
	confirm time.Duration
	// grace is how long the watch may lag behind a listing before a difference
	// means that it lost something.
	grace time.Duration
	// steady is how long a watch must have stood for the pauses to start small.
	steady time.Duration
	// again says how long to pause before listing again.
	again backoff.Backoff
}

// deniedMax bounds the pauses of a mirror that lacks the permission to read: many
// programs may lack it together.
const deniedMax = 10 * time.Second

// position is where in etcd's history an answer stands.
type position struct {
	cluster uint64
	term    uint64
	rev     int64
}

// behind says why an answer at p cannot belong to the history known up to q, nil
// if it can. An answer that names no cluster or term is not compared by it.
func (p position) behind(q position) error {
	switch {
	case p.cluster != 0 && q.cluster != 0 && p.cluster != q.cluster:
		return fmt.Errorf("another cluster answers: %x instead of %x", p.cluster, q.cluster)
	case p.term != 0 && p.term < q.term:
		return fmt.Errorf("etcd's raft term went back from %d to %d", q.term, p.term)
	case p.rev < q.rev:
		return fmt.Errorf("etcd's revision went back from %d to %d", q.rev, p.rev)
	}
	return nil
}

// effects is what the rules of a mirror ask of the world. Nothing blocks. An
// answer to a list, watch or probe that was replaced or ended must not be
// delivered.
type effects interface {
	Observer
	list()                                  // answered by listed or listFailed; replaces the one before
	watch(from int64)                       // answered by created, watched and closed; replaces the one before
	probe()                                 // answered by probed
	end()                                   // ends list, watch and probe
	suspect(generation uint64, cause error) // see Conn.Suspect
}

type phase int

const (
	waiting  phase = iota // until retryAt, or the link comes up
	listing               // for the view that the next watch starts from
	watching              // the watch is asked for or stands
)

var (
	errSilent      = errors.New("no answer to a probe")
	errRenewed     = errors.New("the connection was made anew")
	errDeafened    = errors.New("etcd refused a watch, and with it the stream")
	errUnconfirmed = errors.New("etcd did not confirm the watch")
)

// rules is the state machine of a mirror. It knows when the watched history can
// be trusted and what to do when it cannot. It does no I/O and has no clock;
// next says when it wants to be told the time. It belongs to one goroutine.
type rules struct {
	do       effects
	tune     tuning
	draw     func() float64 // in [0, 1)
	patience time.Duration  // the silence after which this mirror probes the link

	phase       phase
	link        etcd.Link
	first       bool          // nothing was listed yet
	view        view          // the keys as the observer knows them
	base        position      // of the listing that the watch started from
	at          position      // the last one seen
	gen         uint64        // the link's generation under the listing and the watch
	since       time.Time     // since when the watch stands
	confirmed   bool          // etcd said that it does
	unconfirmed int           // watches in a row of which it did not
	took        time.Duration // until etcd answered the listing before the watch
	queue       time.Time     // when a watch of this connection was last confirmed
	failures    int           // losses and failed listings in a row
	retryAt     time.Time
	heard       time.Time // when etcd last gave a sign of life
	probing     bool
	asked       position // r.at when the probe was sent
	status      Status
	resync      resync
}

// resync is the state of the comparison of the view with a listing.
type resync struct {
	at      time.Time           // when to list next, or when to judge
	from    position            // r.at when the listing was asked for
	differs map[string]struct{} // keys that differed; not nil: to be judged
	touched map[string]struct{} // keys that the watch changed since the listing was asked for
}

func newRules(do effects, tune tuning, draw func() float64) *rules {
	return &rules{
		do: do, tune: tune, draw: draw,
		// Not the same for all mirrors of a connection: the first probe is one for all.
		patience: tune.silence + time.Duration(draw()*float64(tune.silence/5)),
		first:    true,
		view:     view{},
	}
}

// start begins. It is called once, before everything else.
func (r *rules) start(now time.Time, l etcd.Link) {
	r.link = l
	r.status.Since = now
	if !l.Up && l.Err != nil {
		r.setStatus(now, false, l.Err)
	}
	r.list()
}

// list asks for a listing to start a watch from.
func (r *rules) list() {
	r.phase = listing
	r.over(r.link)
	r.do.list()
}

// next returns when tick wants to be called, the zero time for never.
func (r *rules) next() time.Time {
	switch r.phase {
	case waiting:
		return r.retryAt
	case watching:
		at := r.resync.at
		if silent := r.heard.Add(r.patience); !r.probing && silent.Before(at) {
			at = silent
		}
		if overdue := r.overdue(); !r.confirmed && overdue.Before(at) {
			at = overdue
		}
		return at
	}
	return time.Time{}
}

// tick tells the time, when the link last heard something, and when a watch over
// it was last confirmed.
func (r *rules) tick(now, heard, confirmed time.Time) {
	r.heard = later(r.heard, heard)
	r.queue = later(r.queue, confirmed)
	switch r.phase {
	case waiting:
		if !now.Before(r.retryAt) {
			r.list()
		}
	case watching:
		if !r.confirmed && !now.Before(r.overdue()) {
			r.unconfirmed++
			r.lose(now, errUnconfirmed)
			return
		}
		if !r.probing && now.Sub(r.heard) >= r.patience {
			r.probing, r.asked = true, r.at
			r.do.probe()
		}
		if !now.Before(r.resync.at) {
			r.compare(now)
		}
	}
}

// linked tells a change of the link.
func (r *rules) linked(now time.Time, l etcd.Link) {
	r.link = l
	switch {
	case !l.Up:
		if r.phase == watching {
			r.lose(now, cmp.Or(l.Err, errors.New("the connection is down")))
		} else if l.Err != nil {
			r.setStatus(now, false, l.Err)
		}
	case r.phase == watching && r.gen != l.Generation:
		r.lose(now, errRenewed)
	case r.phase == waiting:
		r.retry(now)
	}
}

// overdue is when this watch will have been unconfirmed for too long. The watches
// of a connection are confirmed one after the other: as long as others are, it
// waits for its turn. An etcd that was slow to answer the listing is given more
// time. While the link is silent a probe finds out sooner.
func (r *rules) overdue() time.Time {
	patience := max(r.tune.confirm<<min(r.unconfirmed, 8), 10*r.took)
	return later(r.since, r.queue).Add(min(patience, 2*r.tune.silence))
}

// sent tells over which connection the listing went that is about to be told, which
// may have waited its turn while the connection changed, and how long etcd took.
func (r *rules) sent(l etcd.Link, took time.Duration) {
	if r.phase == listing {
		r.over(l)
		r.took = took
	}
}

// over notes the connection that what is asked for now will be answered over: the
// one that is up, or else the next one.
func (r *rules) over(l etcd.Link) {
	r.gen = generationOf(l)
}

// listed gives the answer to a list.
func (r *rules) listed(now time.Time, at position, entries []Entry) {
	r.heard = now
	if r.phase == watching {
		r.check(now, at, entries)
		return
	}
	change := Change{Revision: at.rev, Events: r.view.replace(entries), Reset: true, First: r.first}
	r.first = false
	r.at, r.base = at, at
	r.phase, r.since, r.confirmed = watching, now, false
	r.plan(now)
	r.do.Change(change)
	r.do.watch(at.rev + 1)
	if r.link.Up && r.gen != r.link.Generation {
		r.lose(now, errRenewed)
	}
}

// listFailed says that a list got no answer or a refusal.
func (r *rules) listFailed(now time.Time, err error) {
	if r.phase == watching { // the watch still stands
		r.plan(now)
		return
	}
	if r.link.Up {
		r.failures++ // etcd is there and does not answer as it should
	} else if r.link.Err != nil {
		err = r.link.Err
	}
	r.phase = waiting
	r.setStatus(now, false, err)
	r.retry(now)
	if r.link.Up && errors.Is(err, rpctypes.ErrPermissionDenied) {
		seldom := r.tune.again
		seldom.Max = deniedMax
		r.retryAt = now.Add(seldom.Next(r.failures))
	}
}

// created says that the watch stands.
func (r *rules) created(now time.Time, at position) {
	r.heard = now
	if err := at.behind(r.at); err != nil {
		r.lose(now, err)
		return
	}
	r.confirmed, r.unconfirmed = true, 0
	r.setStatus(now, true, nil)
}

// watched gives the events of one answer of the watch, all or no part of a
// revision. No events mean that nothing happened up to at.
func (r *rules) watched(now time.Time, at position, events []watchEvent) {
	r.heard = now
	if err := at.behind(r.at); err != nil {
		r.lose(now, err)
		return
	}
	r.at.term = max(r.at.term, at.term)
	if len(events) == 0 {
		r.at.rev = at.rev
		return
	}
	for len(events) > 0 {
		rev := events[0].entry.ModRevision
		if rev <= r.base.rev || rev < r.at.rev {
			r.lose(now, fmt.Errorf("an event of revision %d came after revision %d", rev, r.at.rev))
			return
		}
		n := 1
		for n < len(events) && events[n].entry.ModRevision == rev {
			n++
		}
		change := Change{Revision: rev, Events: make([]Event, n)}
		for i, e := range events[:n] {
			change.Events[i] = r.view.apply(e)
			if r.resync.touched != nil {
				r.resync.touched[e.entry.Key] = struct{}{}
			}
		}
		r.at.rev = rev
		r.do.Change(change)
		events = events[n:]
	}
}

// closed says that the watch ended, and why.
func (r *rules) closed(now time.Time, err error) {
	if errors.Is(err, rpctypes.ErrNoLeader) {
		// This member is cut off from the others; another may not be.
		r.do.suspect(r.gen, err)
	}
	r.lose(now, err)
}

// probed gives the answer to a probe.
func (r *rules) probed(now time.Time, at position, err error) {
	r.probing = false
	if err == nil {
		r.heard = now
		err = at.behind(r.asked) // the watch may have been quicker
	} else if etcd.TimedOut(err) {
		err = fmt.Errorf("%w: %w", errSilent, err)
		r.do.suspect(r.gen, err)
	}
	if err != nil {
		r.lose(now, err)
	}
}

// lose gives up the watch: what happened since is unknown. The view stays.
func (r *rules) lose(now time.Time, cause error) {
	if r.phase != watching {
		return
	}
	r.do.end()
	r.probing, r.resync = false, resync{}
	r.failures++
	if now.Sub(r.since) >= r.tune.steady {
		r.failures = 0
	}
	r.phase = waiting
	r.setStatus(now, false, cause)
	r.retry(now)
}

// retry plans the next listing. While the link is down there is none, unless the
// link should fail to tell.
func (r *rules) retry(now time.Time) {
	if !r.link.Up && !r.first {
		r.retryAt = now.Add(r.tune.silence)
		return
	}
	r.retryAt = now.Add(r.tune.again.Next(r.failures))
}

// plan plans the next resync.
func (r *rules) plan(now time.Time) {
	pause := r.tune.resync * 2 / 3
	r.resync = resync{at: now.Add(pause + time.Duration(r.draw()*float64(pause)))}
}

// compare starts a resync, or judges its outcome.
func (r *rules) compare(now time.Time) {
	if r.resync.differs == nil {
		r.resync = resync{at: now.Add(r.tune.resync), from: r.at, touched: map[string]struct{}{}}
		r.do.list()
		return
	}
	for key := range r.resync.differs {
		if _, ok := r.resync.touched[key]; !ok {
			r.lose(now, fmt.Errorf("the watch lost an event of key %q", key))
			return
		}
	}
	r.plan(now)
}

// check compares the view with a listing made while the watch stands. The two
// need not be of the same revision: what differs has to be touched by the watch
// soon, or was before the listing came; else the watch lost something.
func (r *rules) check(now time.Time, at position, entries []Entry) {
	if err := at.behind(r.resync.from); err != nil {
		r.lose(now, err)
		return
	}
	differs := r.view.differs(entries)
	for key := range r.resync.touched {
		delete(differs, key)
	}
	if len(differs) == 0 {
		r.plan(now)
		return
	}
	r.resync.differs, r.resync.at = differs, now.Add(r.tune.grace)
}

func (r *rules) setStatus(now time.Time, live bool, err error) {
	old := r.status
	if live == old.Live && etcd.SameText(err, old.Err) {
		return
	}
	s := Status{Live: live, Err: err, Since: old.Since, Confirmed: old.Confirmed}
	if live != old.Live {
		s.Since = now
	}
	if live || old.Live {
		s.Confirmed = r.heard
	}
	r.status = s
	r.do.Status(s)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
