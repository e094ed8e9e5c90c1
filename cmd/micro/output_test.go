package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/rollcall-go/micro/registry"
)

func TestTable(t *testing.T) {
	var out bytes.Buffer
	table := newTable(&out, "  ", "NAME", "服务")
	table.row("a\x1b[31m", "")
	table.row("long name", "x\ty\nz")
	if err := table.flush(); err != nil {
		t.Fatal(err)
	}
	const want = "  NAME       服务\n  a?[31m     -\n  long name  x?y?z\n"
	if out.String() != want {
		t.Errorf("got\n%s, want\n%s", out.String(), want)
	}
}

func TestIsTerminal(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, w := range []io.Writer{new(bytes.Buffer), null, file} {
		if (screen{w}).isTerminal() {
			t.Errorf("%T counts as a terminal", w)
		}
	}
	var out bytes.Buffer
	if (screen{&out}).faint("a %s", "text"); out.String() != "a text\n" {
		t.Errorf("a file gets commands for terminals: %q", out.String())
	}
}

// TestScreen shows what becomes of characters that are commands to a terminal, or
// that deceive who reads it.
func TestScreen(t *testing.T) {
	for given, want := range map[string]string{
		"a\x1b]0;x\a\r\tb\n":       "a?]0;x???b\n",
		"\u009b2J\x7f\u202e\u2066": "?2J???",
		"\u2028\u00ad\ufeff":       "???",
		"\x9b\xff":                 "\ufffd\ufffd",
		"服务 ä é 🙂":                 "服务 ä é 🙂",
	} {
		var out bytes.Buffer
		if n, err := (screen{&out}).Write([]byte(given)); n != len(given) || err != nil || out.String() != want {
			t.Errorf("%q became %q (%d, %v), want %q", given, out.String(), n, err, want)
		}
		out.Reset()
		screen{&out}.note("%s", given)
		if got := out.String(); strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "\n") {
			t.Errorf("%q is noted as %q", given, got)
		}
		var back string
		text, err := json.Marshal(strings.ToValidUTF8(given, ""))
		if err != nil {
			t.Fatal(err)
		}
		safe := escaped(text)
		if err := json.Unmarshal(safe, &back); err != nil || back != strings.ToValidUTF8(given, "") {
			t.Errorf("%q as JSON is %s, read as %q, %v", given, safe, back, err)
		}
		if i := bytes.IndexFunc(safe, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q as JSON is %q", given, safe)
		}
	}
	if got := string(escaped([]byte("{\t\"a\": 1,\r\n\"b\": 2}"))); got != "{ \"a\": 1, \n\"b\": 2}" {
		t.Errorf("got %q", got)
	}
	if got := string(escaped([]byte("\"\U000e0001\""))); got != `"\udb40\udc01"` {
		t.Errorf("got %s", got)
	}
}

func TestRedact(t *testing.T) {
	for given, want := range map[string]string{
		"dial https://root:Hunter2@10.0.0.1:2379: refused": "dial https://***@10.0.0.1:2379: refused",
		"http://root:p@ss@w0rd@h:1":                        "http://***@h:1",
		"http://user@h:1, http://h:2":                      "http://***@h:1, http://h:2",
		"http://h:1/a@b":                                   "http://h:1/a@b",
		"mail ops@host":                                    "mail ops@host",
	} {
		if got := redact(given); got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
	}
}

func TestShape(t *testing.T) {
	v := &registry.Value{Name: "Req", Type: "Req", Values: []*registry.Value{
		{Name: "id", Type: "int64"}, nil,
		{Name: "to", Type: "Address", Values: []*registry.Value{{Name: "city", Type: "string"}}},
		{Type: "MessageState"},
	}}
	if got, want := shape(v), "Req{id int64, to Address{city string}, MessageState}"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if shape(nil) != "-" || shape(&registry.Value{Type: "Empty"}) != "Empty" {
		t.Error("a message without fields is not its type alone")
	}
}

// TestShapesEnd shows that what is nested deeper than anybody reads takes no
// room.
func TestShapesEnd(t *testing.T) {
	v := &registry.Value{Name: "leaf", Type: "leaf"}
	for range 5000 {
		v = &registry.Value{Name: "f", Type: "T", Values: []*registry.Value{v, v}}
	}
	if got := shape(v); len(got) > 1<<16 || !strings.Contains(got, "{...}") {
		t.Errorf("a shape of %d bytes: %.200s", len(got), got)
	}
}

func TestSimilar(t *testing.T) {
	names := []string{"go.micro.service.user", "go.micro.service.order", "shop"}
	for given, want := range map[string][]string{
		"user": names[:1], "go.micro": names[:2], "shpo": {"shop"}, "my.shop": {"shop"}, "zebra": nil,
	} {
		if got := suggest(given, names); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}

func TestPosition(t *testing.T) {
	for _, tt := range []struct {
		text         string
		offset       int64
		line, column int
	}{{"", 0, 1, 1}, {"{", 1, 1, 1}, {"{}x", 3, 1, 3}, {"{\n x", 4, 2, 2}, {"a\n\nb", 4, 3, 1}, {"a", 9, 1, 2}} {
		if line, column := position([]byte(tt.text), tt.offset); line != tt.line || column != tt.column {
			t.Errorf("%q at %d: got %d, %d", tt.text, tt.offset, line, column)
		}
	}
}
