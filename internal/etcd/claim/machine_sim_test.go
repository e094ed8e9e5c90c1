package claim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/etcd/mirror"
)

// simEtcd is an etcd with one key and its pause key, as machines see it.
type simEtcd struct {
	rev        int64
	key, pause *mirror.Entry
	leases     map[int64]bool
	sims       []*sim
	history    []func(x *sim) (rev int64, tell func(now time.Time)) // since the last wipe
	wipes      int
}

// sim is a machine with what is on its way to it.
type sim struct {
	m        *machine
	etcd     *simEtcd
	watching bool
	news     []func(now time.Time)
	pending  []func(now time.Time) // at most one answer
}

func (e *simEtcd) change(key bool, entry *mirror.Entry) {
	e.rev++
	if entry != nil {
		entry.ModRevision = e.rev
	}
	s := sighting{rev: e.rev, entry: entry}
	event := func(x *sim) (int64, func(now time.Time)) {
		if key {
			return s.rev, func(now time.Time) { x.m.onKey(now, s) }
		}
		return s.rev, func(now time.Time) { x.m.onPauseKey(now, s) }
	}
	e.history = append(e.history, event)
	for _, x := range e.sims {
		if x.watching {
			_, tell := event(x)
			x.news = append(x.news, tell)
		}
	}
	if key {
		e.key = entry
	} else {
		e.pause = entry
	}
}

func (e *simEtcd) do(op claimOp) opResult {
	if op.kind == opPut && !e.leases[op.lease] {
		return opResult{err: errors.New("lease not found"), leaseNotFound: true}
	}
	mod, lease := int64(0), int64(0)
	if e.key != nil {
		mod, lease = e.key.ModRevision, e.key.Lease
	}
	switch {
	case op.kind == opPut && mod == op.expect && (op.pauseKey == "" || e.pause == nil):
		e.change(true, &mirror.Entry{Value: op.value, Lease: op.lease})
	case op.kind == opFarewell && lease == op.lease:
		e.change(true, &mirror.Entry{Value: op.value, Lease: op.lease})
	case op.kind == opDelete && lease == op.lease:
		e.change(true, nil)
	default:
		return opResult{rev: e.rev, key: e.key, pause: e.pause}
	}
	return opResult{rev: e.rev, ok: true}
}

func (e *simEtcd) expire(id int64) {
	delete(e.leases, id)
	if e.key != nil && e.key.Lease == id {
		e.change(true, nil)
	}
}

func (e *simEtcd) wipe() {
	e.rev = 1
	e.leases = map[int64]bool{}
	e.key, e.pause, e.history = nil, nil, nil
	e.wipes++
	for _, x := range e.sims {
		x.cut()
	}
}

// cut ends the watch, as the end of its stream does.
func (x *sim) cut() {
	x.watching = false
	x.news = []func(now time.Time){func(now time.Time) { x.m.onWatchLost(now, false) }}
}

// watch begins where an answer as of rev ended, in the history of that time.
func (x *sim) watch(now time.Time, rev int64, wipes int) {
	if x.watching {
		return
	}
	x.m.onWatching()
	if x.etcd.wipes != wipes {
		x.m.onWatchLost(now, false)
		return
	}
	x.watching = true
	x.news = nil
	for _, event := range x.etcd.history {
		if at, tell := event(x); at > rev {
			x.news = append(x.news, tell)
		}
	}
}

// turn sends what x wants sent. An answer that is lost may be that to a request
// which was carried out.
func (x *sim) turn(now time.Time, r *rand.Rand, lossy bool) (time.Time, bool) {
	op, due := x.m.next(now)
	if op.kind == opNone {
		return due, false
	}
	x.m.onSent(op)
	var res opResult
	if lossy && r.IntN(4) == 0 {
		if r.IntN(2) == 0 {
			x.etcd.do(op)
		}
		res = opResult{err: errors.New("lost")}
	} else {
		res = x.etcd.do(op)
	}
	wipes := x.etcd.wipes
	x.pending = append(x.pending, func(now time.Time) {
		x.m.onAnswer(now, op, res)
		if res.err == nil && x.m.covers(op) {
			x.watch(now, res.rev, wipes)
		}
		if !x.etcd.leases[op.lease] {
			x.m.onLeaseNotFound(now)
		}
	})
	return due, true
}

func (x *sim) deliver(now time.Time, from *[]func(time.Time)) {
	if len(*from) > 0 {
		f := (*from)[0]
		*from = (*from)[1:]
		f(now)
	}
}

// Whatever happens in whatever order, once it stops the key is where it belongs.
func TestClaimMachineConverges(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		e := &simEtcd{rev: 1, leases: map[int64]bool{}}
		now := epoch
		lastLease := int64(0)
		add := func() *sim {
			m := newMachine(Spec{Key: "k", PauseKey: "p", Value: fmt.Append(nil, len(e.sims)), Farewell: bye}, now, r.Float64)
			x := &sim{m: m, etcd: e}
			e.sims = append(e.sims, x)
			return x
		}
		grant := func(x *sim) {
			if x.m.lease != 0 && !e.leases[x.m.lease] {
				x.m.onLeaseNotFound(now)
			}
			if x.m.lease == 0 {
				lastLease++
				e.leases[lastLease] = true
				x.m.onLeaseGranted(lastLease)
			}
		}
		old, young := add(), add()
		released := false
		for range 60 {
			x := e.sims[r.IntN(2)]
			switch r.IntN(14) {
			case 0:
				grant(x)
			case 1:
				e.expire(x.m.lease)
			case 2:
				e.change(true, nil)
			case 3:
				e.change(true, &mirror.Entry{Value: []byte("operator")})
			case 4:
				e.change(false, &mirror.Entry{})
			case 5:
				e.change(false, nil)
			case 6:
				switch r.IntN(8) {
				case 0, 1:
					e.wipe()
				case 2, 3:
					x.cut()
				}
			case 7:
				x.m.update(fmt.Append(nil, r.IntN(100)))
			case 8:
				if r.IntN(8) == 0 {
					old.m.release(now)
					released = true
				}
			case 9, 10:
				x.turn(now, r, true)
			case 11:
				x.deliver(now, &x.pending)
			default:
				x.deliver(now, &x.news)
			}
			now = now.Add(time.Duration(r.IntN(400)) * time.Millisecond)
		}
		// It stops: nothing gets lost any more, and the operator leaves.
		e.change(false, nil)
		if e.key != nil && e.key.Lease == 0 {
			e.change(true, nil)
		}
		for _, x := range e.sims {
			for len(x.news)+len(x.pending) > 0 {
				x.deliver(now, &x.news)
				x.deliver(now, &x.pending)
			}
			x.m.verify(now, 0) // a new connection
		}
		for idle, rounds := 0, 0; idle < 3; rounds++ {
			if rounds > 200 {
				t.Fatalf("seed %d: no end", seed)
			}
			idle++
			for _, x := range e.sims {
				if !x.m.releasing {
					grant(x)
				}
				for range 2 {
					x.deliver(now, &x.pending)
					x.deliver(now, &x.news)
				}
				if _, sent := x.turn(now, r, false); sent || len(x.pending)+len(x.news) > 0 {
					idle = 0
				}
			}
			now = now.Add(3 * time.Second)
		}
		oldHeld, youngHeld := old.m.status.State == Held, young.m.status.State == Held
		switch {
		case e.key == nil:
			t.Fatalf("seed %d: nobody holds the key: %+v, %+v", seed, old.m.status, young.m.status)
		case oldHeld == youngHeld:
			t.Fatalf("seed %d: %+v, %+v, key %+v", seed, old.m.status, young.m.status, e.key)
		case released && (oldHeld || old.m.status.State != Released || old.m.owns(e.key.Lease)):
			t.Fatalf("seed %d: released: %+v, key %+v", seed, old.m.status, e.key)
		}
		for _, x := range e.sims {
			if x.m.status.State == Held && (e.key.Lease != x.m.lease || string(e.key.Value) != string(x.m.value) || !x.m.settled()) {
				t.Fatalf("seed %d: held, but the key is %+v", seed, e.key)
			}
		}
	}
}
