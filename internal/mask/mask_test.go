package mask

import (
	"errors"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestContent(t *testing.T) {
	for text, want := range map[string]string{
		"line 3: found character that cannot start any token": "line 3: found character that cannot start any token",
		"cannot decode !!str `it`s secret` as a !!int":        "cannot decode !!str ... as a !!int",
		"unknown anchor 'it's secret' referenced":             "unknown anchor ... referenced",
		`expected value but found "secret" instead`:           "expected value but found ... instead",
		"At 1:12: Unknown token: 1:12 IDENT secret":           "At 1:12: Unknown token: 1:12 ...",
		"invalid character entity &secret (no semicolon)":     "invalid character entity ... (no semicolon)",
		"1234567890 is out of range for int64":                "... is out of range for int64",
		"unsupported map key of type: x, value: secret":       "unsupported map key of type: x, ...",
		"could not find expected ':'":                         "could not find expected ':'",
	} {
		if got := Content(errors.New(text)).Error(); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}
