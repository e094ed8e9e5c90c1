package doctor

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestLongTextsAreShortened shows that nobody fills the screen by one long id or
// reason.
func TestLongTextsAreShortened(t *testing.T) {
	long := strings.Repeat("né", 100_000)
	all := []Finding{{Level: Problem, Code: "a", Subject: long, Cause: long, Fix: "one"}, {Level: Problem, Code: "a", Subject: long + "2", Cause: long, Fix: "one"}, {Level: OK, Code: "b", Subject: "short", Cause: "as it is"}}
	found := Brief(all)
	if len(found) != 2 || len(found[0].Subject) > 2*(nameBytes+5) || len(found[0].Cause) > causeBytes+5 || !strings.HasSuffix(found[0].Cause, "...") || !utf8.ValidString(found[0].Subject+found[0].Cause) {
		t.Errorf("got %d findings, the first with %d and %d bytes", len(found), len(found[0].Subject), len(found[0].Cause))
	}
	if found[1] != all[2] {
		t.Errorf("got %+v", found[1])
	}
}
