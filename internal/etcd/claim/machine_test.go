package claim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/etcd/mirror"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newTestMachine(random float64) *machine {
	return newMachine(Spec{Key: "k", PauseKey: "p", Value: []byte("v")}, epoch, func() float64 { return random })
}

// step sends what m wants sent now and tells it the answer. It returns what was
// sent.
func step(m *machine, now time.Time, r opResult) claimOp {
	op, _ := m.next(now)
	if op.kind == opNone {
		return op
	}
	m.onSent(op)
	m.onAnswer(now, op, r)
	return op
}

// heldMachine is held under lease 7 as of revision 10.
func heldMachine() *machine {
	m := newTestMachine(0.5)
	m.onLeaseGranted(7)
	step(m, epoch, opResult{ok: true, rev: 10})
	m.onWatching()
	return m
}

func TestClaimMachine(t *testing.T) {
	foreign := &mirror.Entry{Key: "k", Value: []byte("x"), Lease: 99, ModRevision: 20}
	failed := opResult{err: errors.New("no answer")}
	later := epoch.Add(20 * time.Second)
	tests := []struct {
		name  string
		do    func(m *machine) // to a machine that is held
		fresh bool             // to one that has a lease and nothing else
		want  claimOp          // what it sends next, in 20 s
		state State
		at    time.Duration // earliest time of that, after 20 s
	}{
		{name: "held", state: Held},
		{name: "begins without asking", fresh: true,
			want: claimOp{kind: opPut, lease: 7}},
		{name: "takes over", fresh: true,
			do:   func(m *machine) { step(m, later, opResult{rev: 20, key: foreign}) },
			want: claimOp{kind: opPut, lease: 7, expect: 20}},
		{name: "takes over again if somebody was quicker", fresh: true,
			do: func(m *machine) {
				step(m, later, opResult{rev: 20, key: foreign})
				step(m, later, opResult{rev: 21, key: &mirror.Entry{Lease: 98, ModRevision: 21}})
			},
			want: claimOp{kind: opPut, lease: 7, expect: 21}},
		{name: "takes nothing over once it yields", fresh: true, state: Displaced,
			do: func(m *machine) {
				m.stopTakeover(later)
				step(m, later, opResult{rev: 20, key: foreign})
			}},
		{name: "finds the key paused", fresh: true,
			do:    func(m *machine) { step(m, later, opResult{rev: 20, pause: &mirror.Entry{}}) },
			state: Paused},
		{name: "deleted", state: Absent,
			do:   func(m *machine) { m.onKey(later, sighting{rev: 11}) },
			want: claimOp{kind: opPut, lease: 7}},
		{name: "deleted twice", state: Absent, at: restoreSpacing + restoreSpacing/4,
			do: func(m *machine) {
				m.onKey(later, sighting{rev: 11})
				step(m, later, opResult{ok: true, rev: 12})
				m.onKey(later, sighting{rev: 13})
			},
			want: claimOp{kind: opPut, lease: 7}},
		{name: "deleted long ago and again", state: Absent,
			do: func(m *machine) {
				m.onKey(epoch.Add(time.Second), sighting{rev: 11})
				step(m, epoch.Add(time.Second), opResult{ok: true, rev: 12})
				m.onKey(later, sighting{rev: 13})
			},
			want: claimOp{kind: opPut, lease: 7}},
		{name: "old news", state: Held,
			do: func(m *machine) { m.onKey(later, sighting{rev: 9}) }},
		{name: "own news", state: Held,
			do: func(m *machine) { m.onKey(later, sighting{rev: 10}) }},
		{name: "watch lost", state: Held,
			do:   func(m *machine) { m.onWatchLost(later, false) },
			want: claimOp{kind: opLook}},
		{name: "watch lost, and the key with it", state: Absent,
			do: func(m *machine) {
				m.onWatchLost(later, false)
				step(m, later, opResult{rev: 2})
			},
			want: claimOp{kind: opPut, lease: 7}},
		{name: "watch lost again and again", state: Held, at: 50 * time.Millisecond,
			do: func(m *machine) {
				m.onWatchLost(later, false)
				m.onWatchLost(later, false)
			},
			want: claimOp{kind: opLook}},
		{name: "new connection before the first write", fresh: true, state: Absent,
			do:   func(m *machine) { m.verify(later, 0) },
			want: claimOp{kind: opPut, lease: 7}},
		{name: "checked and still there", state: Held,
			do: func(m *machine) {
				m.verify(later, 0)
				step(m, later, opResult{rev: 30, key: &mirror.Entry{Lease: 7, Value: []byte("v"), ModRevision: 10}})
			}},
		{name: "overwritten under our lease", state: Held,
			do: func(m *machine) {
				m.onKey(later, sighting{rev: 11, entry: &mirror.Entry{Lease: 7, Value: []byte("x"), ModRevision: 11}})
			},
			want: claimOp{kind: opPut, lease: 7, expect: 11}},
		{name: "updated", state: Held,
			do:   func(m *machine) { m.update([]byte("w")) },
			want: claimOp{kind: opPut, lease: 7, expect: 10}},
		{name: "displaced", state: Displaced,
			do: func(m *machine) { m.onKey(later, sighting{rev: 20, entry: foreign}) }},
		{name: "displaced, and the other left", state: Absent,
			do: func(m *machine) {
				m.onKey(later, sighting{rev: 20, entry: foreign})
				m.onKey(later, sighting{rev: 21})
			},
			want: claimOp{kind: opPut, lease: 7}},
		{name: "released while displaced", state: Released,
			do: func(m *machine) {
				m.onKey(later, sighting{rev: 20, entry: foreign})
				m.release(later)
			}},
		{name: "released", state: Held,
			do:   func(m *machine) { m.release(later) },
			want: claimOp{kind: opDelete, lease: 7}},
		{name: "released before anything was sent", fresh: true, state: Released,
			do: func(m *machine) { m.release(later) }},
		{name: "released after a write without an answer", fresh: true, state: Absent,
			do: func(m *machine) {
				step(m, epoch, failed)
				m.release(later)
			},
			want: claimOp{kind: opDelete, lease: 7}},
		{name: "written late after the release", state: Released,
			do: func(m *machine) {
				m.release(later)
				step(m, later, opResult{ok: true, rev: 20})
				m.onKey(later, sighting{rev: 21, entry: &mirror.Entry{Lease: 7, ModRevision: 21}})
			},
			want: claimOp{kind: opDelete, lease: 7}},
		{name: "paused", state: Held,
			do:   func(m *machine) { m.onPauseKey(later, sighting{rev: 11, entry: &mirror.Entry{}}) },
			want: claimOp{kind: opDelete, lease: 7}},
		{name: "resumed", state: Absent,
			do: func(m *machine) {
				m.onPauseKey(later, sighting{rev: 11, entry: &mirror.Entry{}})
				step(m, later, opResult{ok: true, rev: 12})
				m.onPauseKey(later, sighting{rev: 13})
			},
			want: claimOp{kind: opPut, lease: 7}},
		{name: "pause key told as it was before our write", state: Held,
			do: func(m *machine) { m.onPauseKey(later, sighting{rev: 9, entry: &mirror.Entry{}}) }},
		{name: "paused, and etcd lost its data", state: Absent,
			do: func(m *machine) {
				m.onPauseKey(later, sighting{rev: 11, entry: &mirror.Entry{}})
				step(m, later, opResult{ok: true, rev: 12})
				m.onWatchLost(later, false)
				step(m, later, opResult{rev: 2})
			},
			want: claimOp{kind: opPut, lease: 7}},
		{name: "lease lost", state: Absent,
			do: func(m *machine) { m.onLeaseNotFound(later) }},
		{name: "lease replaced", state: Absent,
			do: func(m *machine) {
				m.onLeaseNotFound(later)
				m.onLeaseGranted(8)
			},
			want: claimOp{kind: opPut, lease: 8}},
		{name: "lease replaced, key still under the old one", state: Absent,
			do: func(m *machine) {
				m.onLeaseNotFound(later)
				m.onLeaseGranted(8)
				step(m, later, opResult{rev: 20, key: &mirror.Entry{Lease: 7, Value: []byte("v"), ModRevision: 10}})
			},
			want: claimOp{kind: opPut, lease: 8, expect: 10}},
		{name: "lease in doubt", state: Absent,
			do:   func(m *machine) { m.onLeaseExpiredLocally(later, testTTL, nil) },
			want: claimOp{kind: opPut, lease: 7}},
		{name: "no answer", state: Absent, at: 50 * time.Millisecond,
			do: func(m *machine) {
				m.onKey(later, sighting{rev: 11})
				step(m, later, failed)
			},
			want: claimOp{kind: opPut, lease: 7}},
		{name: "refused", state: Absent, at: 50 * time.Millisecond,
			do: func(m *machine) {
				m.onKey(later, sighting{rev: 11})
				step(m, later, opResult{err: errors.New("too large"), refused: true})
			},
			want: claimOp{kind: opPut, lease: 7, unbatched: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := heldMachine()
			if tt.fresh {
				m = newTestMachine(0.5)
				m.onLeaseGranted(7)
			}
			if tt.do != nil {
				tt.do(m)
			}
			if m.status.State != tt.state {
				t.Errorf("state %v, want %v (%+v)", m.status.State, tt.state, m.status)
			}
			if tt.at > 0 {
				if op, due := m.next(later); op.kind != opNone || !due.Equal(later.Add(tt.at)) {
					t.Errorf("sends %+v, next %v; want to wait for %v", op, due.Sub(later), tt.at)
				}
			}
			got, _ := m.next(later.Add(tt.at))
			if got.kind != tt.want.kind || got.expect != tt.want.expect || got.lease != tt.want.lease || got.unbatched != tt.want.unbatched {
				t.Errorf("sends %+v, want %+v", got, tt.want)
			}
		})
	}
}

// A refusal of many writes may be due to any of them; a refusal of one, to the
// pause key that it looks at.
func TestClaimMachineDenied(t *testing.T) {
	denied := opResult{err: errors.New("permission denied"), refused: true, denied: true}
	m := newTestMachine(0)
	m.onLeaseGranted(7)
	for i, want := range []claimOp{
		{pauseKey: "p"},
		{pauseKey: "p", unbatched: true},
	} {
		if op := step(m, epoch, denied); op.kind != opPut || op.pauseKey != want.pauseKey || op.unbatched != want.unbatched {
			t.Errorf("attempt %d: sends %+v, want %+v", i, op, want)
		}
	}
	if op := step(m, epoch, opResult{ok: true, rev: 5}); op.pauseKey != "" || !op.unbatched || m.status.State != Held {
		t.Errorf("at last: sends %+v, %+v", op, m.status)
	}
	// What is known to be paused is not written unseen.
	m = newTestMachine(0)
	m.onLeaseGranted(7)
	m.onPauseKey(epoch, sighting{rev: 5, entry: &mirror.Entry{}})
	for i := range 3 {
		if op := step(m, epoch, denied); op.kind != opPut || op.pauseKey != "p" {
			t.Errorf("paused, attempt %d: sends %+v", i, op)
		}
	}
}

func TestClaimMachineSeesWhileBusy(t *testing.T) {
	m := heldMachine()
	m.update([]byte("w"))
	op, _ := m.next(epoch)
	m.onSent(op)
	m.onKey(epoch, sighting{rev: 11, entry: &mirror.Entry{Lease: 7, Value: []byte("w"), ModRevision: 11}})
	m.onKey(epoch, sighting{rev: 12})
	if again, _ := m.next(epoch); again.kind != opNone {
		t.Fatalf("sends %+v while busy", again)
	}
	m.onAnswer(epoch, op, opResult{ok: true, rev: 11})
	if op, _ := m.next(epoch); op.kind != opPut || op.expect != 0 || m.status.State != Absent {
		t.Errorf("deleted while busy: sends %+v, %+v", op, m.status)
	}
}

func bye([]byte) []byte { return []byte("bye") }

// What we delete says so before; where it cannot, it is deleted all the same.
func TestClaimMachineFarewell(t *testing.T) {
	lost := opResult{err: errors.New("no answer")}
	for _, tt := range []struct {
		name     string
		leave    func(m *machine)
		farewell opResult
	}{
		{"released", func(m *machine) { m.release(epoch) }, opResult{ok: true, rev: 11}},
		{"released, unanswered", func(m *machine) { m.release(epoch) }, lost},
		{"released, refused", func(m *machine) { m.release(epoch) }, opResult{err: errors.New("no"), refused: true, denied: true}},
		{"paused", func(m *machine) { m.onPauseKey(epoch, sighting{rev: 11, entry: &mirror.Entry{}}) }, opResult{ok: true, rev: 12}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := heldMachine()
			m.farewell = bye
			tt.leave(m)
			if op := step(m, epoch, tt.farewell); op.kind != opFarewell || string(op.value) != "bye" || op.lease != 7 {
				t.Fatalf("first sends %+v, want the farewell under lease 7", op)
			}
			if op := step(m, epoch, opResult{ok: true, rev: 13}); op.kind != opDelete || op.lease != 7 {
				t.Fatalf("then sends %+v, want the delete under lease 7", op)
			}
			if op, _ := m.next(epoch); op.kind != opNone {
				t.Errorf("at last sends %+v", op)
			}
		})
	}
	// Each absence has a farewell of its own.
	m := heldMachine()
	m.farewell = bye
	for rev := int64(20); rev < 40; rev += 10 {
		m.onPauseKey(epoch, sighting{rev: rev, entry: &mirror.Entry{}})
		for i, kind := range []opKind{opFarewell, opDelete} {
			if op := step(m, epoch, opResult{ok: true, rev: rev + int64(i) + 1}); op.kind != kind {
				t.Fatalf("paused at %d: sends %+v, want kind %d", rev, op, kind)
			}
		}
		m.onPauseKey(epoch, sighting{rev: rev + 5})
		if op := step(m, epoch, opResult{ok: true, rev: rev + 6}); op.kind != opPut || m.status.State != Held {
			t.Fatalf("resumed: sends %+v, %+v", op, m.status)
		}
	}
	// A pause that cannot be told of by a farewell ends in a delete.
	m = heldMachine()
	m.farewell = bye
	m.onPauseKey(epoch, sighting{rev: 11, entry: &mirror.Entry{}})
	step(m, epoch, opResult{err: errors.New("no"), refused: true})
	step(m, epoch, opResult{rev: 12, key: &mirror.Entry{Lease: 7, Value: []byte("v"), ModRevision: 10}, pause: &mirror.Entry{}})
	if op, _ := m.next(epoch); op.kind != opDelete {
		t.Errorf("paused, farewell refused: sends %+v, want a delete", op)
	}
}

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
