package mirror

import (
	"testing"
	"time"
)

// resyncing returns a bench with a resync under way.
func resyncing(t *testing.T) *bench {
	b := started(t)
	for range 60 {
		b.machine.lastReceived = b.clock
		b.pass(time.Second)
		if len(b.asked) > 0 {
			b.want("list")
			return b
		}
	}
	t.Fatal("no resync within a minute")
	return nil
}

func TestMachineResyncAgrees(t *testing.T) {
	b := resyncing(t)
	b.onListed(10, entry("a", 9), entry("b", 7))
	b.want()
	if next := b.machine.resync.at.Sub(b.clock); next < 30*time.Second || next > 60*time.Second {
		t.Errorf("the next resync is in %v", next)
	}
}

func TestMachineResyncFailureIsNoLoss(t *testing.T) {
	b := resyncing(t)
	b.machine.onListFailed(b.clock, errLost)
	b.want()
	if !b.status().Live {
		t.Error("a listing that failed ended the watch")
	}
}

func TestMachineResyncBeforeTheWatch(t *testing.T) {
	b := resyncing(t)
	b.onListed(13, entry("a", 12), entry("c", 13))
	b.want() // the watch may be late
	b.onWatchEvents(13, putEvent("a", 12), delEvent("b", 12), putEvent("c", 13))
	b.want("change 12 +a -b", "change 13 +c")
	b.machine.lastReceived = b.clock
	b.pass(2 * time.Second)
	b.want()
}

func TestMachineResyncBehindTheWatch(t *testing.T) {
	b := resyncing(t)
	b.onWatchEvents(14, putEvent("a", 12), delEvent("b", 13), putEvent("c", 14))
	b.want("change 12 +a", "change 13 -b", "change 14 +c")
	b.onListed(11, entry("a", 9), entry("b", 7))
	b.machine.lastReceived = b.clock
	b.pass(2 * time.Second)
	b.want()
	if got := b.values("a", "b", "c"); got != "a=12 c=14" {
		t.Errorf("the view went back to %q", got)
	}
}

func TestMachineResyncFindsALoss(t *testing.T) {
	b := resyncing(t)
	b.onListed(13, entry("a", 9), entry("c", 13))
	b.want()
	b.machine.lastReceived = b.clock
	b.pass(2 * time.Second)
	b.want("end", "not live", "list")
	b.onListed(13, entry("a", 9), entry("c", 13))
	b.want("reset 13 -b +c", "watch 14")
}

func TestMachineProgressIsRemembered(t *testing.T) {
	b := started(t)
	b.onWatchEvents(50)
	b.want()
	b.onWatchEvents(40)
	b.want("end", "not live")
}
