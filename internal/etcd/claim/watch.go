package claim

import (
	"errors"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/rollcall-go/micro/internal/etcd/mirror"
)

// keyObserver tells a machine what the watch of one of its keys sees.
type keyObserver struct {
	claim *Claim
	pause bool // it is the pause key
}

var _ mirror.KeyObserver = keyObserver{}

// watchFrom has the machine told what happens to its keys after revision rev, as
// of which an answer to op told of them, unless it is told already. k.mu is held.
func (cl *Claim) watchFrom(rev int64, op claimOp) {
	if _, ours := cl.k.claims[cl]; !ours || !cl.m.covers(op) {
		return
	}
	if cl.keyWatch == nil {
		cl.keyWatch = cl.k.watcher.Watch(cl.m.key, rev+1, keyObserver{claim: cl})
	}
	if cl.pauseWatch == nil && op.pauseKey != "" {
		cl.pauseWatch = cl.k.watcher.Watch(cl.m.pauseKey, rev+1, keyObserver{claim: cl, pause: true})
	}
	cl.m.onWatching()
}

// unwatch ends the watches. k.mu is held.
func (cl *Claim) unwatch() {
	if cl.keyWatch != nil {
		cl.keyWatch.Stop()
		cl.keyWatch = nil
	}
	if cl.pauseWatch != nil {
		cl.pauseWatch.Stop()
		cl.pauseWatch = nil
	}
}

// current reports whether w is the watch that counts. k.mu is held.
func (o keyObserver) current(w *mirror.Watch) bool {
	if o.pause {
		return o.claim.pauseWatch == w
	}
	return o.claim.keyWatch == w
}

func (o keyObserver) Changed(w *mirror.Watch, revision int64, entry *mirror.Entry) {
	k := o.claim.k
	k.mu.Lock()
	defer k.mu.Unlock()
	if !o.current(w) {
		return
	}
	s := sighting{rev: revision, entry: entry}
	k.apply(o.claim, func(m *machine) {
		if o.pause {
			m.onPauseKey(time.Now(), s)
		} else {
			m.onKey(time.Now(), s)
		}
	})
}

func (o keyObserver) Lost(w *mirror.Watch, err error) {
	k := o.claim.k
	k.mu.Lock()
	defer k.mu.Unlock()
	if !o.current(w) {
		return
	}
	// The two are begun again together, from one look.
	o.claim.unwatch()
	k.apply(o.claim, func(m *machine) { m.onWatchLost(time.Now(), errors.Is(err, rpctypes.ErrPermissionDenied)) })
}
