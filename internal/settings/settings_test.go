package settings

import (
	"context"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestOneValueOfEachType(t *testing.T) {
	type mine struct{ n int }
	type other struct{ n int }
	var none context.Context
	if got, ok := Of[mine](none); ok || got != (mine{}) {
		t.Errorf("without a context there is %v", got)
	}
	first := With(none, mine{1})
	second := With(With(first, other{2}), mine{3})
	for _, tt := range []struct {
		ctx   context.Context
		mine  mine
		other other
	}{{first, mine{1}, other{}}, {second, mine{3}, other{2}}} {
		m, _ := Of[mine](tt.ctx)
		o, _ := Of[other](tt.ctx)
		if m != tt.mine || o != tt.other {
			t.Errorf("got %v and %v, want %v and %v", m, o, tt.mine, tt.other)
		}
	}
}
