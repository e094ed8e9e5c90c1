package claim

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/internal/etcd/mirror"
)

// watch has the machine told what happens to its keys, until unwatch. k.mu is
// held.
func (cl *Claim) watch() {
	c := cl.k.conn
	// Ended by unwatch, or with the Conn.
	ctx, cancel := context.WithCancel(context.Background())
	cl.unwatch = cancel
	follow := func(key string, see func(m *machine, now time.Time, s sighting)) {
		// It fails only once the Conn is closed, and then nobody is interested.
		c.Go(func(context.Context) { _ = mirror.Follow(ctx, c, key, true, &keyObserver{claim: cl, see: see}) })
	}
	follow(cl.m.key, func(m *machine, now time.Time, s sighting) { m.see(now, s) })
	if cl.m.pauseKey != "" {
		follow(cl.m.pauseKey, func(m *machine, now time.Time, s sighting) { m.seePause(now, s) })
	}
}

// keyObserver tells a machine what a mirror of one key sees.
type keyObserver struct {
	claim *Claim
	see   func(m *machine, now time.Time, s sighting)
	entry *mirror.Entry
}

var _ mirror.Observer = (*keyObserver)(nil)

func (o *keyObserver) Change(c mirror.Change) {
	for _, e := range c.Events {
		o.entry = nil
		if !e.Deleted {
			entry := e.Entry
			o.entry = &entry
		}
	}
	s := sighting{rev: c.Revision, entry: o.entry, reset: c.Reset && !c.First}
	k := o.claim.k
	k.mu.Lock()
	defer k.mu.Unlock()
	k.apply(o.claim, func(m *machine) { o.see(m, time.Now(), s) })
}

// Status does nothing: the connection tells the keeper when to look again.
func (o *keyObserver) Status(mirror.Status) {}
