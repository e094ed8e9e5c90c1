package excerpt

import (
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestOf(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		"exactly te":               "exactly te",
		"longer than ten bytes":    "longer tha... (21 bytes)",
		"ключи всех":               "ключи... (19 bytes)",
		strings.Repeat("\xbf", 20): strings.Repeat("\xbf", 6) + "... (20 bytes)",
	} {
		if got := Of(in, 10); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
