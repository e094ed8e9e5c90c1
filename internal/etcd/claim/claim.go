// Package claim keeps keys in etcd for as long as their owner lives, under leases
// that it renews. It knows keys and leases, no services.
package claim

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
)

// Spec says what is claimed.
type Spec struct {
	Key string
	// PauseKey is the key with which an operator takes the claim out, "" if that
	// is not to be possible.
	PauseKey string
	// PauseText says in words what the value of the pause key tells. Nil means that
	// it tells nothing.
	PauseText func(value []byte) string
	// Value is what the key is to hold. It must not be modified.
	Value []byte
	// Farewell, if not nil, makes of the value the one that the key gets before we
	// delete it, so that readers can tell our deletes from those of others. Where it
	// cannot be written at once the key is deleted without.
	Farewell func(value []byte) []byte
	// Told, if not nil, is called with the status that the claim begins with and then
	// with every one that it enters, in order. It must return at once and must not
	// call the claim or its keeper.
	Told func(Status)
	// TTL is how long the key outlives its owner. It is rounded up to whole
	// seconds; 0 means defaults.RegisterTTL. etcd may give more.
	TTL time.Duration
	// Shared puts the key under the one lease that all shared claims of this Conn
	// and TTL have in common. It is for keys that nobody else can claim, such as
	// those with a generated name. A key that is not shared has a lease of its own.
	Shared bool
	// Yields says that the key is never taken over from another owner: the claim is
	// then displaced until the key is gone.
	Yields bool
}

// Claim keeps one key in etcd. Its methods may be called by several goroutines
// at once.
//
// The first write takes the key over from whoever has it: the newest claim wins.
// From then on the claim puts the key back whenever it is gone, under a new
// lease if need be, and never writes over a key that somebody else took over.
type Claim struct {
	k     *Keeper
	lease *lease
	told  func(Status) // see Spec.Told

	// What follows is guarded by k.mu.
	m                    *machine
	changed              chan struct{} // closed and replaced when a waiter should look again
	keyWatch, pauseWatch *mirror.Watch // nil while not watched
	ready                bool          // it is in k.ready
}

// Claim begins to keep spec.Key in etcd, and goes on until Release or the end of
// the Conn, whatever happens to etcd in between. It returns at once; Wait tells
// when the key is there. A claim of a key that this Conn already claims takes
// the older claim's place.
func (k *Keeper) Claim(spec Spec) *Claim {
	now := time.Now()
	cl := &Claim{
		k:       k,
		told:    spec.Told,
		m:       newMachine(spec, now, k.random),
		changed: make(chan struct{}),
	}
	cl.m.phase = k.phase
	k.mu.Lock()
	defer k.mu.Unlock()
	if older := k.byKey[spec.Key]; older != nil {
		k.apply(older, func(m *machine) { m.onReplaced(now) })
		k.drop(older)
	}
	cl.lease = k.leaseFor(now, cmp.Or(max(spec.TTL, 0), defaults.RegisterTTL), spec.Shared)
	if cl.told != nil {
		cl.told(cl.m.status)
	}
	if k.conn.Err() == nil && k.start() {
		k.claims[cl] = struct{}{}
		k.byKey[spec.Key] = cl
		cl.lease.add(cl)
		cl.m.onLeaseGranted(cl.lease.id)
		k.touch(cl)
		k.plan(now, cl.lease)
		k.turn(now) // at once: somebody waits. loop sees to what comes later
	}
	return cl
}

// dead returns why the claim can never be held, or nil. k.mu is held.
func (cl *Claim) dead() error {
	if err := cl.k.conn.Err(); err != nil {
		return err
	}
	select {
	case <-cl.k.conn.Done():
		return etcd.ErrClosed
	default:
	}
	if !cl.k.running {
		return etcd.ErrClosed
	}
	return nil
}

// Wait returns nil once the key is in etcd with the value that was last given, or
// once the claim is displaced or paused. When ctx ends before, or when etcd refuses
// what has to be mended by somebody, it returns an error that says what stood in the
// way. The claim goes on trying.
func (cl *Claim) Wait(ctx context.Context) error {
	for {
		cl.k.mu.Lock()
		settled, released, trouble, changed, dead := cl.m.settled(), cl.m.releasing, cl.m.trouble, cl.changed, cl.dead()
		refused := cl.m.refused()
		cl.k.mu.Unlock()
		switch {
		case dead != nil:
			return fmt.Errorf("claim %q: %w", cl.m.key, dead)
		case released:
			return fmt.Errorf("claim %q: it was released", cl.m.key)
		case settled:
			return nil
		case refused:
			return fmt.Errorf("claim %q: %w", cl.m.key, trouble)
		}
		select {
		case <-changed:
		case <-cl.k.conn.Done():
		case <-ctx.Done():
			if trouble == nil {
				return cl.k.conn.Explain(fmt.Sprintf("claim %q", cl.m.key), ctx.Err())
			}
			return fmt.Errorf("claim %q: %w: %w", cl.m.key, ctx.Err(), trouble)
		}
	}
}

// Update gives the key another value, at once if the claim is held, and otherwise
// when it is. Wait tells when the value is in etcd. value must not be modified.
func (cl *Claim) Update(value []byte) {
	cl.k.mu.Lock()
	defer cl.k.mu.Unlock()
	cl.k.apply(cl, func(m *machine) { m.update(value) })
}

// Yield ends the right to take the key over from another owner. It is for a claim
// that is to be followed by one on another Conn, before that one is made.
func (cl *Claim) Yield() {
	cl.k.mu.Lock()
	defer cl.k.mu.Unlock()
	cl.k.apply(cl, func(m *machine) { m.stopTakeover(time.Now()) })
}

// Status returns the present status.
func (cl *Claim) Status() Status {
	cl.k.mu.Lock()
	defer cl.k.mu.Unlock()
	return cl.m.status
}

// Release gives the claim up: the key is not put back any more, and is deleted if
// it is under our lease. It returns nil once nothing of ours is in etcd. When ctx
// ends before, it returns an error, and the key is deleted as soon as etcd
// answers, or expires. It may be called more than once.
//
// The lease is not revoked but left to expire, so that readers can tell a key
// that was deleted on purpose from one whose owner died.
func (cl *Claim) Release(ctx context.Context) error {
	k := cl.k
	k.mu.Lock()
	k.apply(cl, func(m *machine) { m.release(time.Now()) })
	cl.lease.drop(cl)
	k.plan(time.Now(), cl.lease)
	k.mu.Unlock()
	for {
		k.mu.Lock()
		through, changed, trouble := cl.m.replaced || cl.m.nothingLeft(), cl.changed, cl.m.trouble
		ended := ctx.Err()
		if ended == nil {
			ended = cl.dead()
		}
		if !through && ended != nil {
			k.apply(cl, func(m *machine) { m.onReleaseTimeout(time.Now(), ended) })
		}
		k.mu.Unlock()
		switch {
		case through:
			return nil
		case ended != nil:
			doing := fmt.Sprintf("release %q: the key stays until etcd answers or its lease of %ds runs out", cl.m.key, cl.lease.ttl)
			if trouble != nil {
				return fmt.Errorf("%s: %w: %w", doing, ended, trouble)
			}
			return k.conn.Explain(doing, ended)
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-k.conn.Done():
		}
	}
}
