package layout

import (
	"strings"
	"testing"
)

func TestNamespace(t *testing.T) {
	l := Layout{Namespace: "team-a"}
	for got, want := range map[string]string{
		l.Services():      "/team-a/micro/registry/",
		l.Service("a/b"):  "/team-a/micro/registry/a-b/",
		l.Node("s", "n"):  "/team-a/micro/registry/s/n",
		l.Own():           "/team-a/micro/rollcall/",
		l.Pauses():        "/team-a/micro/rollcall/pause/",
		l.PausesOf("s"):   "/team-a/micro/rollcall/pause/s/",
		l.Pause("s", "n"): "/team-a/micro/rollcall/pause/s/n",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, name := range []string{"", "x", "Team_A-1.b", "micro"} {
		if err := (Layout{Namespace: name}).Check(); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"a/b", "/a", "a/", "/", ".", "..", "a b", "\x00", "\n", "\x1b[0m", "\xff", "ü", "a\u202eb"} {
		if err := (Layout{Namespace: name}).Check(); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
}

func TestPauseKey(t *testing.T) {
	for key, want := range map[string]string{
		"/x/micro/rollcall/pause/s/n":     "s n",
		"/x/micro/rollcall/pause/a-b/x-y": "a-b x-y",
		"/x/micro/rollcall/pause/s":       "",
		"/x/micro/rollcall/pause/s/":      "",
		"/x/micro/rollcall/pause//n":      "",
		"/micro/rollcall/pause/s/n":       "",
		"/x/micro/registry/s/n":           "",
	} {
		got := ""
		if service, node, ok := (Layout{Namespace: "x"}).NodeOf(key); ok {
			got = service + " " + node
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
}

func TestPauseRecord(t *testing.T) {
	p := PauseRecord{By: "alice@laptop", At: "2026-01-01T10:00:00Z", Reason: "upgrade"}
	if got := DecodePause(p.Encode()); got != p {
		t.Errorf("got %+v, want %+v", got, p)
	}
	if got := DecodePause([]byte("by hand")); got != (PauseRecord{}) {
		t.Errorf("a value of somebody else reads %+v", got)
	}
	for value, want := range map[string]string{
		string(p.Encode()):        "paused by an operator: at 2026-01-01T10:00:00Z, by alice@laptop, reason upgrade",
		"":                        "paused by an operator",
		"{}":                      "paused by an operator",
		"by hand":                 `paused by an operator: "by hand"`,
		"\x1b[2J":                 `paused by an operator: "\x1b[2J"`,
		`{"by":"a\nb"}`:           "paused by an operator: by a b",
		strings.Repeat("x", 1000): `paused by an operator: "` + strings.Repeat("x", 200) + `..."`,
	} {
		if got := PauseText([]byte(value)); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}
