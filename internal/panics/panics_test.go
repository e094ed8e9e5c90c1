package panics

import (
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func described(l *Log, v any) (text, at string) {
	defer func() { text, at = l.Describe(recover()) }()
	panic(v)
}

func TestDescribe(t *testing.T) {
	var l Log
	text, at := described(&l, "no such thing")
	if text != "no such thing" || !strings.HasPrefix(at, ": at ") || !strings.Contains(at, "panics.described (panics/panics_test.go:") {
		t.Errorf("described as %q%q", text, at)
	}
	long, _ := described(&l, strings.Repeat("x", 1<<20))
	if len(long) > defaults.PanicTextSize+50 {
		t.Errorf("a text of %d bytes", len(long))
	}
	stacks := 0
	for range 100 {
		if _, at := described(&l, 1); at != "" {
			stacks++
		}
	}
	if stacks >= 100-defaults.PanicStacksPerSecond {
		t.Errorf("%d stacks for 100 panics", stacks)
	}
}
