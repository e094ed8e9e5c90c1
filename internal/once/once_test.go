package once

import (
	"strconv"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestFirst(t *testing.T) {
	var s Set
	said := 0
	for i := range 10 * most {
		if s.First(strconv.Itoa(i)) {
			said++
		}
		if s.First(strconv.Itoa(i)) {
			t.Fatalf("%d was said twice", i)
		}
	}
	if said != most {
		t.Errorf("said %d, want %d", said, most)
	}
}

func TestRate(t *testing.T) {
	var r Rate
	now := time.Now()
	said := 0
	for range 10 {
		if r.Allow(now, 3) {
			said++
		}
	}
	if said != 3 {
		t.Errorf("said %d times in a second, want 3", said)
	}
	if !r.Allow(now.Add(time.Second), 3) {
		t.Error("nothing may be said in the next second")
	}
}
