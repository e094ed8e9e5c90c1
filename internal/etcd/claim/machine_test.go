package claim

import (
	"errors"
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
		{name: "never takes over if it yields from the beginning", fresh: true, state: Displaced,
			do: func(m *machine) {
				m.yields = true
				step(m, later, opResult{rev: 20, key: foreign})
			}},
		{name: "puts the key there if it yields and nobody has it", fresh: true,
			do: func(m *machine) {
				m.yields = true
				step(m, later, opResult{rev: 20, key: foreign})
				m.onKey(later, sighting{rev: 21})
			},
			want: claimOp{kind: opPut, lease: 7}},
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

// TestARefusedDeleteIsRetriedSeldom gives up a key that etcd lets nobody delete: there are
// few attempts in an hour, and one soon enough after somebody grants the right.
func TestARefusedDeleteIsRetriedSeldom(t *testing.T) {
	m := heldMachine()
	m.release(epoch)
	denied := opResult{err: errors.New("permission denied"), refused: true, denied: true}
	attempts := 0
	for now := epoch; now.Before(epoch.Add(time.Hour)); now = now.Add(50 * time.Millisecond) {
		if op := step(m, now, denied); op.kind == opDelete {
			attempts++
		}
	}
	if attempts < 60 || attempts > 150 {
		t.Errorf("%d attempts in an hour", attempts)
	}
	end := epoch.Add(time.Hour)
	if _, at := m.next(end); at.After(end.Add(deniedEvery)) {
		t.Errorf("the next attempt is at %v", at)
	}
}
