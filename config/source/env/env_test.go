package env

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func read(t *testing.T, opts ...source.Option) string {
	t.Helper()
	set, err := NewSource(opts...).Read()
	if err != nil {
		t.Fatal(err)
	}
	if set.Format != "json" || set.Source != "env" || set.Checksum != set.Sum() {
		t.Errorf("got %+v", set)
	}
	return string(set.Data)
}

// TestTheDeeperOneCounts whatever the case of its letters is.
func TestTheDeeperOneCounts(t *testing.T) {
	for variable, value := range map[string]string{"rctest_debug": "1", "RCTEST_DEBUG_LEVEL": "3", "RCTEST_HOST": "upper", "rctest_host": "lower"} {
		t.Setenv(variable, value)
	}
	if got, want := read(t, WithPrefix("RCTEST", "rctest")), `{"rctest":{"debug":{"level":3},"host":"lower"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPrefixes(t *testing.T) {
	for variable, value := range map[string]string{
		"RCTEST_DB_HOST": "localhost", "RCTEST_DB_PORT": "3306", "RCTEST_DEBUG": "true", "RCTEST_DEBUG_LEVEL": "3", "RCTEST_ZIP": "007",
		"RCTEST_ONE": "t", "RCTEST_A__B": "1", "RCOTHER_X": "a=b", "RCTESTED_NOT": "1",
	} {
		t.Setenv(variable, value)
	}
	const rest = `"a":{"":{"b":1}},"db":{"host":"localhost","port":3306},"debug":{"level":3},"one":true,"zip":7}`
	for _, tt := range []struct {
		what string
		opts []source.Option
		want string
	}{
		{"stripped", []source.Option{WithStrippedPrefix("RCTEST")}, `{` + rest},
		{"kept", []source.Option{WithPrefix("RCTEST_")}, `{"rctest":{` + rest + `}`},
		{"two", []source.Option{WithStrippedPrefix("RCOTHER"), WithPrefix("RCTESTED")}, `{"rctested":{"not":1},"x":"a=b"}`},
	} {
		if got := read(t, tt.opts...); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.what, got, tt.want)
		}
	}
	former := DefaultPrefixes
	defer func() { DefaultPrefixes = former }()
	DefaultPrefixes = []string{"RCOTHER_"}
	if got := read(t, WithPrefix("RCTESTED")); got != `{"rcother":{"x":"a=b"},"rctested":{"not":1}}` {
		t.Errorf("with default prefixes: %s", got)
	}
}

func TestEverything(t *testing.T) {
	t.Setenv("RCTEST_DB_HOST", "localhost")
	if got := read(t); !strings.Contains(got, `"rctest":{"db":{"host":"localhost"}}`) {
		t.Errorf("got %.200s of %d variables", got, len(os.Environ()))
	}
}

func TestNothingElse(t *testing.T) {
	s := NewSource()
	if err := s.Write(nil); !errors.Is(err, source.ErrReadOnly) {
		t.Errorf("Write: %v", err)
	}
	w, err := s.Watch()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Stop(), w.Stop()); err != nil {
		t.Error(err)
	}
	if _, err := w.Next(); !errors.Is(err, source.ErrWatcherStopped) {
		t.Errorf("Next: %v", err)
	}
}
