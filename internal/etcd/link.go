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
)

// avoidFor is the time for which the address of a connection that stopped
// answering is not dialed if there are others.
const avoidFor = 5 * time.Second

// steady is how long a connection must have stood for the next one to be made
// without a pause.
const steady = time.Second

// Link is the state of the connection at one moment.
type Link struct {
	// Generation grows by one with every new TCP connection that came up. It is 0
	// until the first did.
	Generation uint64
	// Up is true while the connection can carry requests.
	Up bool
	// Addr is the member that we are connected to, host:port; empty while down.
	Addr string
	// Err says why the connection is down, or why it cannot be used. Nil if it is
	// up and usable or if nothing was tried yet.
	Err error
	// Since is the time of the last change of Up.
	Since time.Time
	// Heard is the time at which something last arrived from etcd.
	Heard time.Time
	// Changed is closed when any of the above but Heard changes.
	Changed <-chan struct{}
}

// link follows the connection of one client: it learns from the dialer which TCP
// connections there are, from grpc whether one of them can be used, and from the
// connections what arrives and how they end.
type link struct {
	addrs    map[string]string // what grpc dials -> address; nil: the client is not ours
	heard    atomic.Int64      // unix nanoseconds
	answered atomic.Int64      // when a request last had its answer, unix nanoseconds
	watching atomic.Int64      // when a watch was last confirmed, unix nanoseconds
	mu       sync.Mutex
	state    Link // without Heard and Changed
	changed  chan struct{}
	cause    error      // the last failure to connect, or the end of a connection
	authErr  error      // why the connection cannot be used though it is up
	open     []*netConn // oldest first
	current  *netConn   // the one in use, if state.Up
	avoid    map[string]time.Time
	wake     context.CancelFunc // makes follow look again
}

func newLink(addrs []string) *link {
	l := &link{changed: make(chan struct{}), avoid: map[string]time.Time{}, wake: func() {}}
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
	if ns := l.heard.Load(); ns != 0 {
		s.Heard = time.Unix(0, ns)
	}
	return s
}

func (l *link) hear(now time.Time) { l.heard.Store(now.UnixNano()) }

// answer tells that a request had its answer.
func (l *link) answer(now time.Time) {
	l.hear(now)
	l.answered.Store(now.UnixNano())
}

// confirm tells that etcd confirmed a watch.
func (l *link) confirm(now time.Time) { l.watching.Store(now.UnixNano()) }

// lastConfirmed returns when a watch was last confirmed.
func (l *link) lastConfirmed() time.Time { return time.Unix(0, l.watching.Load()) }

func (l *link) answeredBefore(t time.Time) bool { return l.answered.Load() < t.UnixNano() }

// follow keeps cc connecting and l up to date until ctx is done. grpc by itself
// rests after a lost connection until the next request.
func (l *link) follow(ctx context.Context, cc *grpc.ClientConn) {
	// What was connected a moment ago is worth an earlier attempt than what refuses,
	// for which grpc's own pauses are.
	pause := backoff.Backoff{Base: defaults.EtcdBaseDelay, Max: defaults.EtcdMaxDelay / 2}
	failures, tried := 0, time.Time{}
	for ctx.Err() == nil {
		woken, wake := context.WithCancel(ctx)
		l.mu.Lock()
		l.wake = wake
		l.mu.Unlock()

		state := cc.GetState()
		l.observe(state)
		if state == connectivity.Idle {
			if failures++; time.Since(tried) > steady {
				failures = 0
			}
			if failures == 0 || wait(ctx, pause.Next(failures)) {
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

// observe takes in the state that grpc reports.
func (l *link) observe(state connectivity.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
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
		if l.current = l.pick(); l.current != nil {
			next.Generation++
			next.Up, next.Addr = true, l.current.addr
		}
	case !ready:
		if next.Up && l.cause == nil {
			l.cause = fmt.Errorf("the connection to %s ended", next.Addr)
		}
		l.current = nil
		next.Up = false
	}
	l.set(next)
}

// pick returns which of the open connections is in use: grpc may race two and
// closes the loser.
func (l *link) pick() *netConn {
	for _, c := range slices.Backward(l.open) {
		if c.received.Load() {
			return c
		}
	}
	return nil
}

// set makes next the state and tells it if it differs. l.mu must be held.
func (l *link) set(next Link) {
	next.Err = l.cause
	if next.Up {
		l.cause = nil
		next.Err = l.authErr
	} else {
		next.Addr = ""
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

// refused tells why etcd does not let us in, nil if it does.
func (l *link) refused(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.authErr = err
	l.set(l.state)
}

// failed tells why a connection could not be made or ended.
func (l *link) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cause = err
	if !l.state.Up {
		l.set(l.state)
	}
}

func (l *link) opened(c *netConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, c)
	l.wake()
}

func (l *link) closed(c *netConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.open, c); i >= 0 {
		l.open = slices.Delete(l.open, i, i+1)
	}
	if c == l.current {
		l.current = nil
		next := l.state
		next.Up = false
		if l.cause == nil {
			l.cause = fmt.Errorf("connection to %s was closed", c.addr)
		}
		l.set(next)
	}
	l.wake()
}

func (l *link) suspect(generation uint64, reason error) {
	l.mu.Lock()
	c := l.current
	if c == nil || l.state.Generation != generation {
		l.mu.Unlock()
		return
	}
	l.avoid[c.addr] = time.Now().Add(avoidFor)
	l.cause = fmt.Errorf("gave up the connection to %s: %w", c.addr, reason)
	l.mu.Unlock()
	c.Close()
}

// avoided reports whether addr should not be dialed now.
func (l *link) avoided(addr string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !now.Before(l.avoid[addr]) {
		return false
	}
	for _, other := range l.addrs {
		if !now.Before(l.avoid[other]) {
			return true
		}
	}
	return false
}
