package once

import (
	"strconv"
	"testing"

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
