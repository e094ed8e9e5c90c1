package attempt_test

import (
	"testing"

	"github.com/rollcall-go/micro/internal/attempt"
)

func TestUnwritten(t *testing.T) {
	ctx := t.Context()
	if attempt.Unwritten(ctx) {
		t.Fatal("an unmarked context counts as unwritten")
	}
	outer := attempt.Mark(ctx, true)
	if !attempt.Unwritten(outer) {
		t.Fatal("the mark is lost")
	}
	if attempt.Unwritten(attempt.Mark(outer, false)) {
		t.Fatal("the mark of the outer call speaks for the inner one")
	}
}
