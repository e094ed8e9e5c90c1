package attempt_test

import (
	"testing"

	"github.com/rollcall-go/micro/internal/attempt"
)

func TestFacts(t *testing.T) {
	ctx := t.Context()
	if attempt.Of(ctx) != (attempt.Facts{}) {
		t.Fatal("an unmarked context permits something")
	}
	outer := attempt.Mark(ctx, attempt.Facts{Unrun: true})
	if !attempt.Of(outer).Unrun {
		t.Fatal("the mark is lost")
	}
	if attempt.Of(attempt.Mark(outer, attempt.Facts{Idempotent: true})).Unrun {
		t.Fatal("the mark of the outer call speaks for the inner one")
	}
}
