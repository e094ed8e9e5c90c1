package claim

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
)

// A thousand processes lose their leases in one moment. The grants of new ones,
// which all else waits for, are spread: at most 5 % fall into one millisecond, and
// no process waits for longer than the spread.
func TestWhatAThousandMakeGoodIsSpread(t *testing.T) {
	const processes = 1000
	random := rand.New(rand.NewPCG(1, 2))
	busy := map[time.Duration]int{}
	var latest time.Duration
	for range processes {
		c := etcd.Open(etcd.Config{})
		k := NewKeeper(c)
		k.random = random.Float64
		l := k.leaseFor(epoch, 15*time.Second, true)
		l.onGranted(7, 15*time.Second, epoch.Add(-time.Minute))
		k.byID[7] = l
		k.leaseNotFound(epoch, 7)
		l.claims[&Claim{}] = struct{}{}
		granted, at := l.wanted(epoch)
		if granted {
			t.Fatal("a lost lease is replaced at once")
		}
		after := at.Sub(epoch)
		busy[after.Truncate(time.Millisecond)]++
		latest = max(latest, after)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for at, n := range busy {
		if n > processes/20 {
			t.Errorf("%d of %d begin in the millisecond after %v", n, processes, at)
		}
	}
	if latest > recoverySpread || latest < recoverySpread*9/10 {
		t.Errorf("the last begins after %v, want it a little below %v", latest, recoverySpread)
	}
}
