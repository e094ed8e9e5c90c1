package flag

import (
	"encoding/json"
	"errors"
	"flag"
	"testing"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func read(t *testing.T, opts ...source.Option) map[string]any {
	t.Helper()
	set, err := NewSource(opts...).Read()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(set.Data, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestFlags puts flags of its own in place of the process's.
func TestFlags(t *testing.T) {
	former := flag.CommandLine
	defer func() { flag.CommandLine = former }()
	flag.CommandLine = flag.NewFlagSet("test", flag.ContinueOnError)
	flag.String("database-user", "default", "")
	flag.String("database_host", "", "")
	flag.Bool("Debug", false, "")
	flag.Duration("wait", time.Second, "")
	if _, err := NewSource().Read(); err == nil || err.Error() != "flags not parsed" {
		t.Errorf("before they are parsed: %v", err)
	}
	if err := flag.CommandLine.Parse([]string{"-database_host=h", "-Debug", "-wait=2s"}); err != nil {
		t.Fatal(err)
	}
	for _, opts := range [][]source.Option{nil, {IncludeUnset(false)}} {
		got := read(t, opts...)
		db, _ := got["database"].(map[string]any)
		if db["host"] != "h" || db["user"] != nil || got["debug"] != true || got["wait"] != 2e9 {
			t.Errorf("got %v", got)
		}
	}
	if db, _ := read(t, IncludeUnset(true))["database"].(map[string]any); db["user"] != "default" {
		t.Errorf("with those that nobody set: %v", db)
	}
	if err := NewSource().Write(nil); !errors.Is(err, source.ErrReadOnly) {
		t.Errorf("Write: %v", err)
	}
}
