package claim

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
)

// Keeper keeps the leases of a Conn alive and the claims in etcd. Its goroutines
// start with the first claim and end with the Conn.
//
// What to do is decided by the machines of claims and leases, under mu; the
// goroutines of the keeper carry it out without holding mu, and report back.
type Keeper struct {
	conn   *etcd.Conn
	random func() float64
	budget *etcd.Budget // of grants and writes

	work    chan struct{} // holds a token if turn is to be run
	renew   chan struct{} // holds a token if there may be something to renew
	deliver chan struct{} // holds a token if there are notices

	mu       sync.Mutex
	running  bool
	claims   map[*Claim]struct{} // all that are not through
	byKey    map[string]*Claim   // the newest of each key
	leases   map[*lease]struct{}
	requests int // under way
	notices  []notice

	generation uint64 // of the connection that was last up
}

// NewKeeper returns a keeper of claims over c. It starts nothing before the first
// claim, and ends with c.
func NewKeeper(c *etcd.Conn) *Keeper {
	return &Keeper{
		conn:    c,
		random:  rand.Float64,
		budget:  etcd.NewBudget(etcd.BudgetRate, etcd.BudgetBurst),
		work:    make(chan struct{}, 1),
		renew:   make(chan struct{}, 1),
		deliver: make(chan struct{}, 1),
		claims:  make(map[*Claim]struct{}),
		byKey:   make(map[string]*Claim),
		leases:  make(map[*lease]struct{}),
	}
}

// wake puts a token into c unless it holds one.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// start starts the goroutines, once. It reports false if the Conn is closed.
// k.mu is held.
func (k *Keeper) start() bool {
	if !k.running {
		k.running = k.conn.Go(k.loop) && k.conn.Go(k.renewals) && k.conn.Go(k.notify)
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
	k.generation = l.Generation
	for le := range k.leases {
		if le.id == 0 {
			le.retryAt = now.Add(k.spread(le))
		}
	}
	// All at once, so that they travel in the same requests.
	delay := time.Duration(k.random() * float64(recoverySpread))
	for cl := range k.claims {
		k.apply(cl, func(m *machine) {
			if m.started {
				m.verify(now, delay)
			} else {
				m.verify(now, 0)
			}
		})
	}
}

// spread returns the pause before a lease that is gone is replaced, none for the
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
	var next time.Time
	until := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for l := range k.leases {
		until(k.tend(l, now))
	}
	var due []assignment
	for cl := range k.claims {
		if cl.m.over(now) {
			k.drop(cl)
			continue
		}
		op, at := cl.m.next(now)
		if op.kind != opNone {
			due = append(due, assignment{cl, op})
		}
		until(at)
		if end := cl.m.freed.Add(lingerTime); cl.m.releasing && end.After(now) {
			until(end)
		}
	}
	until(k.dispatch(now, due))
	return next
}

// tend does what l needs at this time, but for renewing, and returns when it
// needs something next. k.mu is held.
func (k *Keeper) tend(l *lease, now time.Time) time.Time {
	wanted, at := l.wanted(now)
	if wanted {
		if at = k.budget.Take(now); at.IsZero() {
			l.granting = true
			k.conn.Go(func(ctx context.Context) { k.grant(ctx, l) })
		}
	}
	if l.id == 0 {
		if len(l.claims) == 0 && !l.granting {
			delete(k.leases, l)
		}
		return at
	}
	if expiry := l.expiry(); now.Before(expiry) {
		return expiry
	}
	if len(l.claims) == 0 {
		delete(k.leases, l)
		return time.Time{}
	}
	if !l.doubted {
		l.doubted = true
		err := k.conn.Link().Err
		for cl := range l.claims {
			k.apply(cl, func(m *machine) { m.leaseInDoubt(now, l.granted, err) })
		}
	}
	return time.Time{}
}

// drop forgets a claim that is through. k.mu is held.
func (k *Keeper) drop(cl *Claim) {
	delete(k.claims, cl)
	delete(cl.lease.claims, cl)
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
	if moved && len(cl.observers) > 0 {
		k.notices = append(k.notices, notice{cl.observers, cl.m.status})
		wake(k.deliver)
	}
	if moved || settled != cl.m.settled() || refused != cl.m.refused() || cl.m.releasing {
		close(cl.changed)
		cl.changed = make(chan struct{})
	}
	wake(k.work)
}
