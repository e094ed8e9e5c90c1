package main

import (
	"bytes"
	"io"
	"os"
	"slices"
	"testing"

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
