package delivery

import (
	"testing"
	"time"
)

func TestRetriesWaitLonger(t *testing.T) {
	r := Retry{MaxDeliver: 10, Wait: time.Second, MaxWait: 4 * time.Second}
	for times, ceiling := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 9: 4 * time.Second} {
		if got := r.Again(times); got < ceiling/2 || got > ceiling {
			t.Errorf("after %d times: %v", times, got)
		}
	}
	if r.Last(9) || !r.Last(10) || (Retry{MaxDeliver: -1}).Last(1000) {
		t.Error("the last time is another one")
	}
}
