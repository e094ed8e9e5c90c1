package claim

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
)

// Keeper keeps the leases of a Conn alive and the claims in etcd.
//
// What to do is decided by the machines of claims and leases, under mu. Goroutines
// carry it out without holding mu, and report back: loop says when which machine
// is asked; renewals owns the stream on which leases are renewed, with one more
// that receives; and there is one for each request under way, batchesAtOnce
// writes and grantsAtOnce grants at most. The Watcher has its
// own. All start with the first claim and end with the Conn, however many claims
// there are.
type Keeper struct {
	conn    *etcd.Conn
	watcher *mirror.Watcher // of all claimed keys and their pause keys
	random  func() float64
	phase   time.Duration // when it looks, within checkGrid
	budget  *etcd.Budget  // of grants and writes that nobody asked for

	work  chan struct{} // holds a token if turn is to be run
	renew chan struct{} // holds a token if there may be something to renew

	mu       sync.Mutex
	running  bool
	claims   map[*Claim]struct{} // all that are not through
	byKey    map[string]*Claim   // the newest of each key
	touched  map[*Claim]struct{} // to be asked what they want
	dates    schedule[*Claim]    // when to ask the others
	ready    []*Claim            // that want something sent, and wait for their turn
	requests int                 // writes and looks under way

	leases     map[*lease]struct{}
	byID       map[int64]*lease
	shared     map[int64]*lease   // by time to live
	spares     map[int64][]*lease // by time to live, oldest first
	handedOut  map[int64]int      // own leases, by time to live
	leaseDates schedule[*lease]   // when to look at one
	renewing   schedule[*lease]   // when one is to be renewed, or the answer is late
	starved    []*lease           // that want to be granted when a grant ends
	grants     int                // under way

	generation uint64 // of the connection that was last up
}

// NewKeeper returns a keeper of claims over c. It starts nothing before the first
// claim, and ends with c.
func NewKeeper(c *etcd.Conn) *Keeper {
	return &Keeper{
		conn:      c,
		watcher:   mirror.NewWatcher(c),
		random:    rand.Float64,
		phase:     rand.N(checkGrid),
		budget:    etcd.NewBudget(etcd.BudgetRate, etcd.BudgetBurst),
		work:      make(chan struct{}, 1),
		renew:     make(chan struct{}, 1),
		claims:    make(map[*Claim]struct{}),
		byKey:     make(map[string]*Claim),
		touched:   make(map[*Claim]struct{}),
		leases:    make(map[*lease]struct{}),
		byID:      make(map[int64]*lease),
		shared:    make(map[int64]*lease),
		spares:    make(map[int64][]*lease),
		handedOut: make(map[int64]int),
	}
}

// Conn returns the connection.
func (k *Keeper) Conn() *etcd.Conn { return k.conn }

// wake puts a token into c unless it holds one.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// start starts the goroutines that ask the claims and renew the leases, unless they
// run. It reports false if the Conn is closed.
// k.mu is held.
func (k *Keeper) start() bool {
	if !k.running {
		k.running = k.conn.Go(k.loop) && k.conn.Go(k.renewals)
	}
	return k.running
}

// loop asks the machines what to do whenever something happened or is due.
func (k *Keeper) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		link := k.conn.Link()
		k.mu.Lock()
		k.linked(time.Now(), link)
		next := k.turn(time.Now())
		k.mu.Unlock()
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return
		case <-k.work:
		case <-link.Changed:
		case <-timer.C:
		}
	}
}

// linked has everything checked over a connection that is new. k.mu is held.
func (k *Keeper) linked(now time.Time, l etcd.Link) {
	if !l.Up || l.Generation == k.generation {
		return
	}
	// What was answered while there was only ever one connection came over it.
	only := k.generation == 0 && l.Generation == 1
	k.generation = l.Generation
	for le := range k.leases {
		if le.id == 0 {
			le.retryAt = now.Add(k.spread(le))
			k.plan(now, le)
		}
	}
	// All at once, so that they travel in the same requests.
	delay := time.Duration(k.random() * float64(recoverySpread))
	for cl := range k.claims {
		if only && cl.m.known {
			continue
		}
		k.apply(cl, func(m *machine) {
			if m.started {
				m.verify(now, delay)
			} else {
				m.verify(now, 0)
			}
		})
	}
}

// spread returns the wait before a lease that is gone is replaced, none for the
// first: what took it away may have taken those of a thousand others.
func (k *Keeper) spread(l *lease) time.Duration {
	if !l.used {
		return 0
	}
	return time.Duration(k.random() * float64(recoverySpread))
}

// turn starts what is due and returns the time of the next turn, zero if no
// time matters. k.mu is held.
func (k *Keeper) turn(now time.Time) time.Time {
	for {
		l, due := k.leaseDates.take(now)
		if !due {
			break
		}
		k.tend(now, l)
	}
	for {
		cl, due := k.dates.take(now)
		if !due {
			break
		}
		k.touched[cl] = struct{}{}
	}
	for cl := range k.touched {
		k.ask(now, cl)
	}
	clear(k.touched)
	return soonest(k.dispatch(now), k.dates.next(), k.leaseDates.next())
}

// ask queues what cl wants to be done next. k.mu is held.
func (k *Keeper) ask(now time.Time, cl *Claim) {
	if cl.m.finished(now) {
		k.drop(cl)
		return
	}
	if cl.m.deaf(now) {
		k.watcher.Replace(errDeaf)
	}
	op, at := cl.m.next(now)
	if op.kind != opNone {
		if !cl.ready {
			cl.ready = true
			k.ready = append(k.ready, cl)
		}
		return
	}
	if cl.m.releasing {
		if end := cl.m.releasedAt.Add(lingerTime); end.After(now) {
			at = soonest(at, end)
		}
	}
	k.dates.set(cl, soonest(at, cl.m.deafAt))
}

// errDeaf says that a look found what no watch told.
var errDeaf = errors.New("the watch lost an event")

// soonest returns the earliest of those that are not zero.
func soonest(all ...time.Time) (first time.Time) {
	for _, t := range all {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// touch has loop ask cl what it wants next, because something about it changed. k.mu is
// held.
func (k *Keeper) touch(cl *Claim) {
	if _, ours := k.claims[cl]; ours {
		k.touched[cl] = struct{}{}
		wake(k.work)
	}
}

// drop forgets a claim that is finished or was replaced by a newer one of its key.
// k.mu is held.
func (k *Keeper) drop(cl *Claim) {
	delete(k.claims, cl)
	delete(k.touched, cl)
	k.dates.set(cl, time.Time{})
	cl.lease.drop(cl)
	k.plan(time.Now(), cl.lease)
	if k.byKey[cl.m.key] == cl {
		delete(k.byKey, cl.m.key)
	}
	cl.unwatch()
}

// apply changes the machine of cl and makes known what comes of it. k.mu is held.
func (k *Keeper) apply(cl *Claim, change func(m *machine)) {
	before, settled, refused := cl.m.status, cl.m.settled(), cl.m.refused()
	change(cl.m)
	moved := !before.Same(cl.m.status)
	if before.State == Held && cl.m.status.State == Absent {
		k.conn.Counters().KeysLost.Add(1)
	}
	if moved && cl.told != nil {
		cl.told(cl.m.status)
	}
	if moved || settled != cl.m.settled() || refused != cl.m.refused() || cl.m.releasing {
		close(cl.changed)
		cl.changed = make(chan struct{})
	}
	k.touch(cl)
}
