package balance

import (
	"testing"
	"time"
)

func TestNewcomers(t *testing.T) {
	var n Newcomers
	start := time.Unix(1000, 0)
	see := func(after time.Duration, ids ...string) []time.Time {
		id := func(i int) string { return ids[i] }
		n.See("shop", start.Add(after), len(ids), id)
		return n.Since("shop", start.Add(after), time.Minute, len(ids), id)
	}
	if got := see(0); got != nil {
		t.Error("nobody is new")
	}
	if got := see(time.Second, "a", "b"); got != nil {
		t.Error("what was there at the first look is new")
	}
	got := see(2*time.Second, "a", "b", "c")
	if got == nil || !got[0].IsZero() || !got[2].Equal(start.Add(2*time.Second)) {
		t.Errorf("got %v", got)
	}
	if got := see(30*time.Second, "c", "a"); got == nil || !got[0].Equal(start.Add(2*time.Second)) {
		t.Errorf("a later look forgot: %v", got)
	}
	if got := see(3*time.Minute, "c", "a"); got != nil {
		t.Errorf("it is new for ever: %v", got)
	}
	if got := see(9*time.Minute, "b"); got != nil {
		t.Errorf("a node that was away for less than ten minutes is new: %v", got)
	}
	if got := see(30*time.Minute, "b"); got != nil {
		t.Errorf("got %v", got)
	}
	if got := see(31*time.Minute, "b", "a"); got == nil {
		t.Error("a node that was away for long is not new")
	}
	n.Forget("shop")
	if got := see(32*time.Minute, "x"); got != nil {
		t.Errorf("a service that was forgotten has new nodes: %v", got)
	}
}
