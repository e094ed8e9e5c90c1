package layout

import (
	"testing"
	"time"
)

// The keys are those of package concurrency of etcd's client below the path that v2 gives it.
func TestLine(t *testing.T) {
	for name, want := range map[string]string{"a": "/micro/sync/a/", "a/b": "/micro/sync/a-b/", "a-b": "/micro/sync/a-b/", "a b": "/micro/sync/a b/"} {
		if line, err := (Layout{}).Line(name); err != nil || line != want {
			t.Errorf("%q: %q, %v; want %q", name, line, err, want)
		}
	}
	if line, err := (Layout{Namespace: "blue"}).Line("a"); err != nil || line != "/blue/micro/sync/a/" {
		t.Errorf("in a namespace: %q, %v", line, err)
	}
	for _, name := range []string{"", ".", "..", "a\x00b"} {
		if line, err := (Layout{}).Line(name); err == nil {
			t.Errorf("%q has the line %q", name, line)
		}
	}
	if key := Place("/micro/sync/a/", 0x694d8f2e); key != "/micro/sync/a/694d8f2e" {
		t.Errorf("the place is %q", key)
	}
	at := time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)
	if got := string(PlaceRecord{Host: "h1", PID: 7, At: at}.Encode()); got != `{"host":"h1","pid":7,"at":"2026-11-27T03:00:00Z"}` {
		t.Errorf("the value is %s", got)
	}
}
