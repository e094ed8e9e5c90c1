package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/etcd"
)

// bench drives the machine of a mirror by hand: it notes what they ask for and
// checks what they tell.
type bench struct {
	*recorder
	t       *testing.T
	machine *machine
	clock   time.Time
	asked   []string // since the last call of want
	link    etcd.Link
}

var _ actions = (*bench)(nil)

func (b *bench) list()            { b.note("list") }
func (b *bench) watch(from int64) { b.note("watch %d", from) }
func (b *bench) probe()           { b.note("probe") }
func (b *bench) end()             { b.note("end") }
func (b *bench) reconnect(generation uint64, _ error) {
	b.note("reconnect %d", generation)
}

func (b *bench) Status(s Status) {
	b.recorder.Status(s)
	if s.Live {
		b.note("live")
	} else {
		b.note("not live")
	}
}

func (b *bench) Change(c Change) {
	b.recorder.Change(c)
	kind := "change"
	if c.Reset {
		kind = "reset"
	}
	text := ""
	for _, e := range c.Events {
		sign := "+"
		if e.Deleted {
			sign = "-"
		}
		text += " " + sign + e.Entry.Key
	}
	b.note("%s %d%s", kind, c.Revision, text)
}

func (b *bench) note(format string, args ...any) {
	b.asked = append(b.asked, fmt.Sprintf(format, args...))
}

// want checks what was asked and told since the last call.
func (b *bench) want(want ...string) {
	b.t.Helper()
	if !slices.Equal(b.asked, want) {
		b.t.Fatalf("the machine did\n\t%s\nwant\n\t%s", strings.Join(b.asked, "; "), strings.Join(want, "; "))
	}
	b.asked = nil
}

// pass lets d pass, calling onTime whenever the machine wants it.
func (b *bench) pass(d time.Duration) {
	end := b.clock.Add(d)
	for range 1000 {
		next := b.machine.next()
		if next.IsZero() || next.After(end) {
			b.clock = end
			return
		}
		if next.After(b.clock) {
			b.clock = next
		}
		b.machine.onTime(b.clock, time.Time{}, time.Time{})
	}
	b.t.Fatal("the machine wants to be called without end")
}

func (b *bench) up(generation uint64) {
	b.link = etcd.Link{Up: true, Generation: generation}
	b.machine.onLinkChange(b.clock, b.link)
}

func (b *bench) down(err error) {
	b.link = etcd.Link{Generation: b.link.Generation, Err: err}
	b.machine.onLinkChange(b.clock, b.link)
}

func (b *bench) onListed(rev int64, entries ...Entry) {
	b.machine.onListed(b.clock, position{1, 2, rev}, entries)
}

func (b *bench) onWatchCreated(rev int64) { b.machine.onWatchCreated(b.clock, position{1, 2, rev}) }

func (b *bench) onWatchEvents(rev int64, events ...watchEvent) {
	b.machine.onWatchEvents(b.clock, position{1, 2, rev}, events)
}

func entry(key string, rev int64) Entry {
	return Entry{Key: key, Value: []byte(fmt.Sprint(rev)), CreateRevision: rev, ModRevision: rev}
}

func putEvent(key string, rev int64) watchEvent { return watchEvent{entry: entry(key, rev)} }

func delEvent(key string, rev int64) watchEvent {
	return watchEvent{deleted: true, entry: Entry{Key: key, ModRevision: rev}}
}

var errLost = errors.New("lost")

// newBench returns a bench whose machine draws half of every wait.
func newBench(t *testing.T) *bench {
	b := &bench{recorder: newRecorder(t), t: t, clock: time.Unix(1000, 0)}
	tune := tuningFor(etcd.Open(etcd.Config{}))
	half := func() float64 { return 0.5 }
	tune.again = backoff.Backoff{Base: 100 * time.Millisecond, Max: time.Second, Rand: half}
	b.machine = newMachine(b, tune, half)
	return b
}

// patience is how long the machine of a bench bears silence: the drawn part of a
// fifth more than they must.
const patience = 5500 * time.Millisecond

// started returns a bench whose mirror is live at revision 10 with keys a and b.
func started(t *testing.T) *bench {
	b := newBench(t)
	b.machine.onStart(b.clock, b.link)
	b.want("list")
	b.up(1)
	b.onListed(10, entry("b", 7), entry("a", 9))
	b.want("reset 10 +b +a", "watch 11")
	b.onWatchCreated(10)
	b.want("live")
	return b
}

func TestMachineStart(t *testing.T) { started(t) }

func TestMachineStartWhileEtcdIsAway(t *testing.T) {
	b := newBench(t)
	away := errors.New("connection refused")
	b.machine.onStart(b.clock, etcd.Link{Generation: 3, Err: away})
	b.want("not live", "list")
	if got := b.machine.status.Err; !errors.Is(got, away) {
		t.Errorf("the status tells %v, want %v", got, away)
	}
}

func TestMachineFirstListingOfNothing(t *testing.T) {
	b := newBench(t)
	b.up(1)
	b.machine.onStart(b.clock, b.link)
	b.onListed(1)
	b.want("list", "reset 1", "watch 2")
}

func TestMachineOneRevisionIsOneChange(t *testing.T) {
	b := started(t)
	b.onWatchEvents(14, putEvent("c", 11), delEvent("a", 11), putEvent("c", 13), delEvent("x", 14))
	b.want("change 11 +c -a", "change 13 +c", "change 14 -x")
	// A revision may go on in the next answer.
	b.onWatchEvents(14, putEvent("d", 14))
	b.want("change 14 +d")
	last := b.seen()[1].Events[1]
	if !last.Deleted || last.Entry.Key != "a" {
		t.Errorf("the delete of a known key is %+v", last)
	}
	unknown := b.seen()[3].Events[0]
	if !unknown.Deleted || unknown.Entry.Key != "x" {
		t.Errorf("the delete of an unknown key is %+v", unknown)
	}
}

func TestMachineHistoryIsLost(t *testing.T) {
	for name, lose := range map[string]func(b *bench){
		"event below the listing": func(b *bench) { b.onWatchEvents(12, putEvent("c", 10)) },
		"revision back":           func(b *bench) { b.onWatchEvents(9) },
		"event back":              func(b *bench) { b.onWatchEvents(12, putEvent("c", 12)); b.onWatchEvents(12, putEvent("c", 11)) },
		"term back":               func(b *bench) { b.machine.onWatchEvents(b.clock, position{1, 1, 12}, []watchEvent{putEvent("c", 12)}) },
		"another cluster":         func(b *bench) { b.machine.onWatchEvents(b.clock, position{3, 2, 12}, []watchEvent{putEvent("c", 12)}) },
		"created behind":          func(b *bench) { b.onWatchCreated(9) },
		"compacted":               func(b *bench) { b.machine.onWatchClosed(b.clock, rpctypes.ErrCompacted) },
		"new connection":          func(b *bench) { b.up(2) },
		"probe answered from behind": func(b *bench) {
			b.pass(patience)
			b.machine.onProbed(b.clock, position{1, 2, 3}, nil)
		},
		"probe refused": func(b *bench) {
			b.pass(patience)
			b.machine.onProbed(b.clock, position{}, rpctypes.ErrPermissionDenied)
		},
		"listing from behind": func(b *bench) {
			for slices.Index(b.asked, "list") < 0 {
				b.pass(time.Second)
				b.machine.lastReceived = b.clock
			}
			b.onListed(5)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := started(t)
			lose(b)
			if b.status().Live || b.asked[len(b.asked)-1] != "not live" || b.asked[len(b.asked)-2] != "end" {
				t.Fatalf("the machine did %q, want them to end the watch", b.asked)
			}
			if got := b.values("a", "b", "c"); !strings.HasPrefix(got, "a=9 b=7") {
				t.Errorf("the view became %q", got)
			}
			b.asked = nil
			b.pass(time.Second)
			b.want("list")
			// Whatever is listed now holds, be it of an older revision.
			b.onListed(4, entry("b", 7), entry("d", 3))
			b.asked = nil
			if got := b.values("a", "b", "c", "d"); got != "b=7 d=3" {
				t.Errorf("the view became %q", got)
			}
			b.onWatchCreated(4)
			b.want("live")
		})
	}
}

func TestMachineUnknownIsNotEmpty(t *testing.T) {
	b := started(t)
	b.down(errLost)
	b.want("end", "not live")
	for range 10 {
		b.pass(5 * time.Second) // no link: one listing every five seconds
		b.want("list")
		b.machine.onListFailed(b.clock, context.DeadlineExceeded)
	}
	if got := b.values("a", "b"); got != "a=9 b=7" {
		t.Errorf("the view became %q", got)
	}
	if s := b.status(); s.Live || !errors.Is(s.Err, errLost) || !s.Since.Equal(time.Unix(1000, 0)) || !s.Confirmed.Equal(s.Since) {
		t.Errorf("status %+v", s)
	}
	b.up(2)
	b.pass(200 * time.Millisecond) // however long the link was down
	b.want("list")
	b.onListed(10, entry("b", 7), entry("a", 9))
	// Nothing changed; but an observer who wrote a key knew more than the mirror did.
	b.want("reset 10", "watch 11")
	b.onWatchCreated(10)
	b.want("live")
}

// A mirror that never saw anything does not wait for the link to tell.
func TestMachineFirstListingFails(t *testing.T) {
	b := newBench(t)
	b.machine.onStart(b.clock, b.link)
	b.down(errLost)
	b.want("list", "not live")
	b.machine.onListFailed(b.clock, context.DeadlineExceeded)
	b.pass(time.Second)
	b.want("list")
	b.up(1)
	b.onListed(3)
	b.want("reset 3", "watch 4")
}

// The answer came over a connection that is gone by the time it is read.
func TestMachineConnectionRenewedWhileListing(t *testing.T) {
	b := newBench(t)
	b.up(1)
	b.machine.onStart(b.clock, b.link)
	b.up(2)
	b.onListed(10, entry("a", 9))
	b.want("list", "reset 10 +a", "watch 11", "end", "not live")
	b.pass(time.Second)
	b.want("list")
}

func TestMachineWatchdog(t *testing.T) {
	b := started(t)
	b.pass(4 * time.Second)
	b.want()
	b.machine.onTime(b.clock, b.clock, time.Time{}) // the link heard something
	b.pass(4 * time.Second)
	b.want()
	b.pass(patience - 4*time.Second)
	b.want("probe")
	b.machine.onProbed(b.clock, position{1, 2, 10}, nil)
	b.want()
	b.pass(patience)
	b.want("probe")
	b.pass(2 * time.Second)
	b.machine.onProbed(b.clock, position{}, fmt.Errorf("probe: %w", context.DeadlineExceeded))
	b.want("reconnect 1", "end", "not live")
}

// All mirrors of a connection see the same silence; the first to ask ends it for
// the others.
func TestMachineOfOneConnectionDoNotProbeAtOnce(t *testing.T) {
	due := map[time.Time]bool{}
	for jitter := range 10 {
		b := newBench(t)
		b.machine = newMachine(b, tuningFor(etcd.Open(etcd.Config{})), func() float64 { return float64(jitter) / 10 })
		b.up(1)
		b.machine.onStart(b.clock, b.link)
		b.onListed(1)
		b.onWatchCreated(1)
		at := b.machine.next()
		if wait := at.Sub(b.clock); wait < 5*time.Second || wait > 6*time.Second {
			t.Errorf("drawn %d/10: probes after %v", jitter, wait)
		}
		due[at] = true
	}
	if len(due) != 10 {
		t.Errorf("10 mirrors probe at %d different times", len(due))
	}
}

// A watch that is asked for and never confirmed is as good as none.
func TestMachineWatchIsNotConfirmed(t *testing.T) {
	b := newBench(t)
	b.up(1)
	b.machine.onStart(b.clock, b.link)
	b.onListed(10)
	b.want("list", "reset 10", "watch 11")
	b.machine.lastReceived = b.clock.Add(time.Hour) // others of this connection hear something
	b.pass(3 * time.Second)
	b.want("end", "not live")
	b.pass(time.Second)
	b.want("list")
	b.onListed(10)
	b.want("reset 10", "watch 11")
	b.machine.lastReceived = b.clock.Add(time.Hour)
	b.pass(5 * time.Second) // busy servers are given more time
	b.want()
	b.pass(time.Second)
	b.want("end")
	b.pass(time.Second)
	b.want("list")
	b.onListed(10)
	b.onWatchCreated(10)
	b.want("reset 10", "watch 11", "live")
}

// The watches of a connection are confirmed one after the other: one that waits for
// its turn is not lost.
func TestMachineWatchWaitsForItsTurn(t *testing.T) {
	b := newBench(t)
	b.up(1)
	b.machine.onStart(b.clock, b.link)
	b.onListed(10)
	b.want("list", "reset 10", "watch 11")
	for range 10 {
		b.pass(2 * time.Second)
		b.machine.onTime(b.clock, b.clock, b.clock) // another was confirmed
	}
	b.want()
	b.machine.lastReceived = b.clock.Add(time.Hour)
	b.pass(3 * time.Second)
	b.want("end", "not live")
}

// An etcd that took half a second to list may take five to confirm.
func TestMachineSlowEtcdIsGivenTime(t *testing.T) {
	b := newBench(t)
	b.up(1)
	b.machine.onStart(b.clock, b.link)
	b.machine.onListSent(b.link, time.Second/2)
	b.onListed(10)
	b.want("list", "reset 10", "watch 11")
	b.machine.lastReceived = b.clock.Add(time.Hour)
	b.pass(5*time.Second - 1)
	b.want()
	b.pass(1)
	b.want("end", "not live")
}

// A listing that waited for its turn while the connection was made anew went over
// the new one, and is good for a watch over it.
func TestMachineConnectionRenewedBeforeTheListingIsSent(t *testing.T) {
	b := newBench(t)
	b.up(1)
	b.machine.onStart(b.clock, b.link)
	b.up(2)
	b.machine.onListSent(b.link, 0)
	b.onListed(10)
	b.onWatchCreated(10)
	b.want("list", "reset 10", "watch 11", "live")
}

// The answer to a probe and the events of the watch come on different ways.
func TestMachineProbeAnsweredAfterNews(t *testing.T) {
	b := started(t)
	b.pass(patience)
	b.want("probe")
	b.onWatchEvents(11, putEvent("c", 11))
	b.want("change 11 +c")
	b.machine.onProbed(b.clock, position{1, 2, 10}, nil)
	b.want()
}

func TestMachineLeaveAMemberWithoutLeader(t *testing.T) {
	b := started(t)
	b.machine.onWatchClosed(b.clock, fmt.Errorf("watch: %w", rpctypes.ErrNoLeader))
	b.want("reconnect 1", "end", "not live")
}

func TestMachineDoNotSpin(t *testing.T) {
	b := started(t)
	lists := 0
	for end := b.clock.Add(time.Minute); b.clock.Before(end); {
		b.machine.onWatchClosed(b.clock, errLost)
		b.pass(time.Second)
		for _, a := range b.asked {
			if a == "list" {
				lists++
				b.onListed(10)
				b.onWatchCreated(10)
			}
		}
		b.asked = nil
	}
	if lists > 120 {
		t.Errorf("%d listings in a minute of a watch that ends at once", lists)
	}
	if got := b.machine.tune.again.Next(b.machine.failures); got < 400*time.Millisecond {
		t.Errorf("after a minute of failures the wait is %v", got)
	}
	b.pass(time.Second)
	b.asked = nil
	b.machine.lastReceived = b.clock
	b.clock = b.clock.Add(b.machine.tune.steady)
	b.machine.onWatchClosed(b.clock, errLost)
	if b.machine.failures != 0 {
		t.Error("a watch that stood long does not begin with a small wait")
	}
}

// Whoever may not read does not ask all the time: many programs may lack the same
// permission.
func TestMachineRefusedReadersAskSeldom(t *testing.T) {
	b := newBench(t)
	b.up(1)
	b.machine.onStart(b.clock, b.link)
	lists := 0
	for end := b.clock.Add(time.Minute); b.clock.Before(end); b.pass(100 * time.Millisecond) {
		for _, a := range b.asked {
			if a == "list" {
				lists++
				b.machine.onListFailed(b.clock, fmt.Errorf("list: %w", rpctypes.ErrPermissionDenied))
			}
		}
		b.asked = nil
	}
	if lists < 5 || lists > 20 {
		t.Errorf("%d listings in a minute of being refused", lists)
	}
}
