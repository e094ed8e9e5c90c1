package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"

	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/refusal"
)

const (
	// stableAfter is how long a connection must have stood for the next one to be
	// made without a wait.
	stableAfter = time.Second
	// mismatchKept is how long a mismatch with one member goes before the failures of
	// others as the reason why there is no connection.
	mismatchKept = 3 * time.Second
)

// Link is the state of the connection at one moment.
type Link struct {
	// Generation grows by one with every new TCP connection that came up. It is 0
	// until the first did.
	Generation uint64
	// Up is true while the connection can carry requests.
	Up bool
	// Addr is the member that we are connected to, host:port as configured, with the
	// IP after it if the host has several; empty while down.
	Addr string
	// Err says why the connection is down, or why it cannot be used. Nil if it is
	// up and usable or if nothing was tried yet.
	Err error
	// GiveUp is when it is no longer worth waiting for the connection to come up,
	// because somebody has to mend what Err says. Zero while it may at any moment.
	GiveUp time.Time
	// Since is the time of the last change of Up.
	Since time.Time
	// Heard is the time at which something last arrived from etcd.
	Heard time.Time
	// Changed is closed when any of the above but Heard changes.
	Changed <-chan struct{}
}

// link follows the connection of one client: it learns from the dialer which TCP
// connections there are, from grpc whether one of them can be used, and from the
// connections what arrives and how they end. It is told by the goroutines of grpc, by
// that of follow, and by those whose requests were answered.
type link struct {
	addrs   map[string]string // what grpc dials -> address as configured; nil: the client is not ours
	members *members
	tls     bool // TLS is asked for

	// Unix nanoseconds.
	received       atomic.Int64 // when something last arrived
	answered       atomic.Int64 // when a request last had its answer
	watchConfirmed atomic.Int64 // when a watch was last confirmed

	mu      sync.Mutex
	state   Link // without Heard and Changed
	changed chan struct{}
	cause   error // the last failure to connect, or the end of a connection
	causeAt time.Time
	authErr error              // why the connection cannot be used though it is up
	open    []*netConn         // oldest first
	current *netConn           // the one in use, if state.Up
	ahead   bool               // current has answered, and grpc did not yet call itself ready
	early   map[string]bool    // IP and port of members that closed a connection before they answered
	wake    context.CancelFunc // makes follow look again
}

func newLink(addrs []string, tls bool) *link {
	l := &link{changed: make(chan struct{}), members: newMembers(addrs), tls: tls, early: map[string]bool{}, wake: func() {}}
	if addrs != nil {
		l.addrs = make(map[string]string, len(addrs))
	}
	for _, addr := range addrs {
		l.addrs[withoutZone(addr)] = addr
	}
	return l
}

func (l *link) now() Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.state
	s.Changed = l.changed
	if ns := l.received.Load(); ns != 0 {
		s.Heard = time.Unix(0, ns)
	}
	return s
}

func (l *link) markReceived(now time.Time) { l.received.Store(now.UnixNano()) }

// markAnswered notes that a request had its answer. The connection is up then, though
// grpc, which carries requests a moment before it calls itself ready, may not say so.
func (l *link) markAnswered(now time.Time) {
	l.markReceived(now)
	l.answered.Store(now.UnixNano())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current != nil {
		return
	}
	if c := l.usable(); c != nil {
		l.ahead = true
		l.use(c)
	}
}

// markWatchConfirmed notes that etcd confirmed a watch.
func (l *link) markWatchConfirmed(now time.Time) { l.watchConfirmed.Store(now.UnixNano()) }

// lastConfirmed returns when a watch was last confirmed.
func (l *link) lastConfirmed() time.Time { return time.Unix(0, l.watchConfirmed.Load()) }

func (l *link) answeredBefore(t time.Time) bool { return l.answered.Load() < t.UnixNano() }

// follow keeps cc connecting and l up to date until ctx is done. grpc by itself
// rests after a lost connection until the next request.
func (l *link) follow(ctx context.Context, cc *grpc.ClientConn) {
	// What was connected a moment ago is worth an earlier attempt than what refuses,
	// for which grpc's own back-off is.
	retry := backoff.Backoff{Base: defaults.EtcdBaseDelay, Max: defaults.EtcdMaxDelay / 2}
	failures, tried := 0, time.Time{}
	for ctx.Err() == nil {
		woken, wake := context.WithCancel(ctx)
		l.mu.Lock()
		l.wake = wake
		l.mu.Unlock()

		state := l.observe(cc)
		if state == connectivity.Idle {
			if failures++; time.Since(tried) > stableAfter {
				failures = 0
			}
			if failures == 0 || wait(ctx, retry.Next(failures)) {
				tried = time.Now()
				cc.Connect()
			}
		}
		cc.WaitForStateChange(woken, state)
		wake()
	}
}

// wait waits for d. It reports false if ctx was done before.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// observe takes in the state that grpc reports, and returns it. It is read under the
// lock, so that it is not older than what markAnswered notes.
func (l *link) observe(cc *grpc.ClientConn) connectivity.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := cc.GetState()
	ready := state == connectivity.Ready
	next := l.state
	switch {
	case l.addrs == nil: // not our client: we see its state alone
		if ready && !next.Up {
			next.Generation++
		}
		next.Up = ready
		if state == connectivity.TransientFailure {
			l.cause = errors.New("the connection failed")
		}
	case ready && l.current == nil:
		if c := l.usable(); c != nil {
			l.use(c)
			return state
		}
	case ready:
		l.ahead = false
	case l.ahead && state == connectivity.Connecting: // will be ready
	case !ready:
		if next.Up && l.cause == nil {
			l.cause = fmt.Errorf("the connection to %q ended", next.Addr)
		}
		l.current, l.ahead = nil, false
		next.Up = false
	}
	l.set(next)
	return state
}

// use makes c the connection in use. l.mu must be held.
func (l *link) use(c *netConn) {
	l.current = c
	next := l.state
	next.Generation++
	next.Up, next.Addr = true, c.member.name
	l.set(next)
}

// usable returns which of the open connections is in use: grpc may race two and
// closes the loser.
func (l *link) usable() *netConn {
	for _, c := range slices.Backward(l.open) {
		if c.received.Load() {
			return c
		}
	}
	return nil
}

// set makes next the state and closes changed if it differs. l.mu must be held.
func (l *link) set(next Link) {
	next.Err = l.cause
	if next.Up {
		l.cause = nil
		next.Err = l.authErr
	} else {
		next.Addr = ""
	}
	switch patience, bounded := refusal.Of(next.Err).Patience(); {
	case !bounded:
		next.GiveUp = time.Time{}
	case next.GiveUp.IsZero():
		next.GiveUp = time.Now().Add(patience)
	}
	if next.Up != l.state.Up || next.Generation != l.state.Generation {
		next.Since = time.Now()
	}
	old := l.state
	l.state = next
	if next.Up == old.Up && next.Generation == old.Generation && SameText(next.Err, old.Err) {
		return
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// SameText reports whether a and b read the same. The values differ with every
// attempt.
func SameText(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error()
}

// refused notes why etcd does not let us in, nil if it does.
func (l *link) refused(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.authErr = err
	l.set(l.state)
}

// failed notes why a connection could not be made, or ended.
func (l *link) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if refusal.Of(err) == refusal.None && refusal.Of(l.cause) == refusal.Mismatch && now.Sub(l.causeAt) < mismatchKept {
		return
	}
	l.cause, l.causeAt = err, now
	if !l.state.Up {
		l.set(l.state)
	}
}

// noteClosedEarly notes that a member closed a connection before it answered, as one
// does that is spoken to with TLS and has none, or the other way round.
func (l *link) noteClosedEarly(m member) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.early[m.addr] = true
}

// closedEarly reports, once, whether that was noted.
func (l *link) closedEarly(m member) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	noted := l.early[m.addr]
	delete(l.early, m.addr)
	return noted
}

// opened takes in a new TCP connection.
func (l *link) opened(c *netConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, c)
	l.wake()
}

// closed takes in that a TCP connection ended.
func (l *link) closed(c *netConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.open, c); i >= 0 {
		l.open = slices.Delete(l.open, i, i+1)
	}
	if c == l.current {
		l.current, l.ahead = nil, false
		next := l.state
		next.Up = false
		if l.cause == nil {
			l.cause = fmt.Errorf("connection to %q was closed", c.member.name)
		}
		l.set(next)
	}
	l.wake()
}

// reconnect closes the connection of that generation, if it is the one in use.
func (l *link) reconnect(generation uint64, reason error) {
	l.mu.Lock()
	c := l.current
	if c == nil || l.state.Generation != generation {
		l.mu.Unlock()
		return
	}
	l.cause, l.causeAt = fmt.Errorf("gave up the connection to %q: %w", c.member.name, reason), time.Now()
	l.mu.Unlock()
	l.members.shun(c.member.addr)
	c.Close()
}
