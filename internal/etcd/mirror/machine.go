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
	// steady is how long a watch must have stood for the waits to start small.
	steady time.Duration
	// again says how long to wait before listing again.
	again backoff.Backoff
}

// deniedMax bounds the waits of a mirror that lacks the permission to read: many
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

// actions is what the machine asks of the world. Nothing blocks. An
// answer to a list, watch or probe that was replaced or ended must not be
// delivered.
type actions interface {
	Observer
	list()                                    // answered by onListed or onListFailed; replaces the one before
	watch(from int64)                         // answered by onWatchCreated, onWatchEvents and onWatchClosed; replaces the one before
	probe()                                   // answered by onProbed
	end()                                     // ends list, watch and probe
	reconnect(generation uint64, cause error) // see Conn.Reconnect
}

type phase int

const (
	phaseWaiting  phase = iota // until retryAt, or the link comes up
	phaseListing               // for the view that the next watch starts from
	phaseWatching              // the watch is asked for or stands
)

var (
	errSilent      = errors.New("no answer to a probe")
	errRenewed     = errors.New("the connection was made anew")
	errDeafened    = errors.New("etcd refused a watch, and with it the stream")
	errUnconfirmed = errors.New("etcd did not confirm the watch")
)

// machine is the state machine of a mirror. It knows when the watched history can
// be trusted and what to do when it cannot. It does no I/O and has no clock;
// next says when it wants to be told the time. It belongs to one goroutine.
type machine struct {
	do           actions
	tune         tuning
	jitter       func() float64 // in [0, 1)
	silenceLimit time.Duration  // after which silence this mirror probes the link

	phase        phase
	link         etcd.Link
	first        bool          // nothing was listed yet
	view         view          // the keys as the observer knows them
	listedAt     position      // of the listing that the watch started from
	position     position      // the last one seen
	generation   uint64        // the link's generation under the listing and the watch
	since        time.Time     // since when the watch stands
	confirmed    bool          // etcd said that it does
	unconfirmed  int           // watches in a row of which it did not
	listLatency  time.Duration // until etcd answered the listing before the watch
	lastConfirm  time.Time     // when a watch of this connection was last confirmed
	failures     int           // losses and failed listings in a row
	retryAt      time.Time
	lastReceived time.Time // when etcd last gave a sign of life
	probing      bool
	probedFrom   position // m.position when the probe was sent
	status       Status
	resync       resync
}

// resync is the state of the comparison of the view with a listing.
type resync struct {
	at      time.Time           // when to list next, or when to judge
	from    position            // m.position when the listing was asked for
	differs map[string]struct{} // keys that differed; not nil: to be judged
	touched map[string]struct{} // keys that the watch changed since the listing was asked for
}

func newMachine(do actions, tune tuning, jitter func() float64) *machine {
	return &machine{
		do: do, tune: tune, jitter: jitter,
		// Not the same for all mirrors of a connection: the first probe is one for all.
		silenceLimit: tune.silence + time.Duration(jitter()*float64(tune.silence/5)),
		first:        true,
	}
}

// onStart begins. It is called once, before everything else.
func (m *machine) onStart(now time.Time, l etcd.Link) {
	m.link = l
	m.status.Since = now
	if !l.Up && l.Err != nil {
		m.setStatus(now, false, l.Err)
	}
	m.list()
}

// list asks for a listing to start a watch from.
func (m *machine) list() {
	m.phase = phaseListing
	m.bindGeneration(m.link)
	m.do.list()
}

// next returns when onTime wants to be called, the zero time for never.
func (m *machine) next() time.Time {
	switch m.phase {
	case phaseWaiting:
		return m.retryAt
	case phaseWatching:
		at := m.resync.at
		if silent := m.lastReceived.Add(m.silenceLimit); !m.probing && silent.Before(at) {
			at = silent
		}
		if overdue := m.overdue(); !m.confirmed && overdue.Before(at) {
			at = overdue
		}
		return at
	}
	return time.Time{}
}

// onTime tells the time, when the link last heard something, and when a watch over
// it was last confirmed.
func (m *machine) onTime(now, heard, confirmed time.Time) {
	m.lastReceived = later(m.lastReceived, heard)
	m.lastConfirm = later(m.lastConfirm, confirmed)
	switch m.phase {
	case phaseWaiting:
		if !now.Before(m.retryAt) {
			m.list()
		}
	case phaseWatching:
		if !m.confirmed && !now.Before(m.overdue()) {
			m.unconfirmed++
			m.invalidate(now, errUnconfirmed)
			return
		}
		if !m.probing && now.Sub(m.lastReceived) >= m.silenceLimit {
			m.probing, m.probedFrom = true, m.position
			m.do.probe()
		}
		if !now.Before(m.resync.at) {
			m.resyncOrJudge(now)
		}
	}
}

// onLinkChange tells a change of the link.
func (m *machine) onLinkChange(now time.Time, l etcd.Link) {
	m.link = l
	switch {
	case !l.Up:
		if m.phase == phaseWatching {
			m.invalidate(now, cmp.Or(l.Err, errors.New("the connection is down")))
		} else if l.Err != nil {
			m.setStatus(now, false, l.Err)
		}
	case m.phase == phaseWatching && m.generation != l.Generation:
		m.invalidate(now, errRenewed)
	case m.phase == phaseWaiting:
		m.scheduleRetry(now)
	}
}

// overdue is when this watch will have been unconfirmed for too long. The watches
// of a connection are confirmed one after the other: as long as others are, it
// waits for its turn. An etcd that was slow to answer the listing is given more
// time. While the link is silent a probe finds out sooner.
func (m *machine) overdue() time.Time {
	patience := max(m.tune.confirm<<min(m.unconfirmed, 8), 10*m.listLatency)
	return later(m.since, m.lastConfirm).Add(min(patience, 2*m.tune.silence))
}

// onListSent tells over which connection the listing went that is about to be told, which
// may have waited its turn while the connection changed, and how long etcd took.
func (m *machine) onListSent(l etcd.Link, took time.Duration) {
	if m.phase == phaseListing {
		m.bindGeneration(l)
		m.listLatency = took
	}
}

// bindGeneration notes the connection that what is asked for now will be answered over: the
// one that is up, or else the next one.
func (m *machine) bindGeneration(l etcd.Link) {
	m.generation = generationOf(l)
}

// onListed gives the answer to a list.
func (m *machine) onListed(now time.Time, at position, entries []Entry) {
	m.lastReceived = now
	if m.phase == phaseWatching {
		m.checkListing(now, at, entries)
		return
	}
	change := Change{Revision: at.rev, Events: m.view.replace(entries), Reset: true, First: m.first}
	m.first = false
	m.position, m.listedAt = at, at
	m.phase, m.since, m.confirmed = phaseWatching, now, false
	m.scheduleResync(now)
	m.do.Change(change)
	m.do.watch(at.rev + 1)
	if m.link.Up && m.generation != m.link.Generation {
		m.invalidate(now, errRenewed)
	}
}

// onListFailed says that a list got no answer or a refusal.
func (m *machine) onListFailed(now time.Time, err error) {
	if m.phase == phaseWatching { // the watch still stands
		m.scheduleResync(now)
		return
	}
	if m.link.Up {
		m.failures++ // etcd is there and does not answer as it should
	} else if m.link.Err != nil {
		err = m.link.Err
	}
	m.phase = phaseWaiting
	m.setStatus(now, false, err)
	m.scheduleRetry(now)
	if m.link.Up && errors.Is(err, rpctypes.ErrPermissionDenied) {
		seldom := m.tune.again
		seldom.Max = deniedMax
		m.retryAt = now.Add(seldom.Next(m.failures))
	}
}

// onWatchCreated says that the watch stands.
func (m *machine) onWatchCreated(now time.Time, at position) {
	m.lastReceived = now
	if err := at.behind(m.position); err != nil {
		m.invalidate(now, err)
		return
	}
	m.confirmed, m.unconfirmed = true, 0
	m.setStatus(now, true, nil)
}

// onWatchEvents gives the events of one answer of the watch, all or no part of a
// revision. No events mean that nothing happened up to at.
func (m *machine) onWatchEvents(now time.Time, at position, events []watchEvent) {
	m.lastReceived = now
	if err := at.behind(m.position); err != nil {
		m.invalidate(now, err)
		return
	}
	m.position.term = max(m.position.term, at.term)
	if len(events) == 0 {
		m.position.rev = at.rev
		return
	}
	for len(events) > 0 {
		rev := events[0].entry.ModRevision
		if rev <= m.listedAt.rev || rev < m.position.rev {
			m.invalidate(now, fmt.Errorf("an event of revision %d came after revision %d", rev, m.position.rev))
			return
		}
		n := 1
		for n < len(events) && events[n].entry.ModRevision == rev {
			n++
		}
		change := Change{Revision: rev, Events: make([]Event, n)}
		for i, e := range events[:n] {
			change.Events[i] = m.view.apply(e)
			if m.resync.touched != nil {
				m.resync.touched[e.entry.Key] = struct{}{}
			}
		}
		m.position.rev = rev
		m.do.Change(change)
		events = events[n:]
	}
}

// onWatchClosed says that the watch ended, and why.
func (m *machine) onWatchClosed(now time.Time, err error) {
	if errors.Is(err, rpctypes.ErrNoLeader) {
		// This member is cut off from the others; another may not be.
		m.do.reconnect(m.generation, err)
	}
	m.invalidate(now, err)
}

// onProbed gives the answer to a probe.
func (m *machine) onProbed(now time.Time, at position, err error) {
	m.probing = false
	if err == nil {
		m.lastReceived = now
		err = at.behind(m.probedFrom) // the watch may have been quicker
	} else if etcd.TimedOut(err) {
		err = fmt.Errorf("%w: %w", errSilent, err)
		m.do.reconnect(m.generation, err)
	}
	if err != nil {
		m.invalidate(now, err)
	}
}

// invalidate gives up the watch: what happened since is unknown. The view stays.
func (m *machine) invalidate(now time.Time, cause error) {
	if m.phase != phaseWatching {
		return
	}
	m.do.end()
	m.probing, m.resync = false, resync{}
	m.failures++
	if now.Sub(m.since) >= m.tune.steady {
		m.failures = 0
	}
	m.phase = phaseWaiting
	m.setStatus(now, false, cause)
	m.scheduleRetry(now)
}

// scheduleRetry plans the next listing. While the link is down there is none, unless the
// link should fail to tell.
func (m *machine) scheduleRetry(now time.Time) {
	if !m.link.Up && !m.first {
		m.retryAt = now.Add(m.tune.silence)
		return
	}
	m.retryAt = now.Add(m.tune.again.Next(m.failures))
}

// scheduleResync plans the next resync.
func (m *machine) scheduleResync(now time.Time) {
	least := m.tune.resync * 2 / 3
	m.resync = resync{at: now.Add(least + time.Duration(m.jitter()*float64(least)))}
}

// resyncOrJudge is called when the time of a resync has come: it lists all keys, beside
// the watch. Where the listing differed from the view it is called once more, after a
// grace: keys that the watch has not changed by then are events that it lost.
func (m *machine) resyncOrJudge(now time.Time) {
	if m.resync.differs == nil {
		m.resync = resync{at: now.Add(m.tune.resync), from: m.position, touched: map[string]struct{}{}}
		m.do.list()
		return
	}
	for key := range m.resync.differs {
		if _, ok := m.resync.touched[key]; !ok {
			m.invalidate(now, fmt.Errorf("the watch lost an event of key %q", key))
			return
		}
	}
	m.scheduleResync(now)
}

// checkListing compares the view with a listing made while the watch stands. The two
// need not be of the same revision: what differs has to be touched by the watch
// soon, or was before the listing came; else the watch lost something.
func (m *machine) checkListing(now time.Time, at position, entries []Entry) {
	if err := at.behind(m.resync.from); err != nil {
		m.invalidate(now, err)
		return
	}
	differs := m.view.differs(entries)
	for key := range m.resync.touched {
		delete(differs, key)
	}
	if len(differs) == 0 {
		m.scheduleResync(now)
		return
	}
	m.resync.differs, m.resync.at = differs, now.Add(m.tune.grace)
}

func (m *machine) setStatus(now time.Time, live bool, err error) {
	old := m.status
	if live == old.Live && etcd.SameText(err, old.Err) {
		return
	}
	s := Status{Live: live, Err: err, Since: old.Since, Confirmed: old.Confirmed}
	if live != old.Live {
		s.Since = now
	}
	if live || old.Live {
		s.Confirmed = m.lastReceived
	}
	m.status = s
	m.do.Status(s)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
