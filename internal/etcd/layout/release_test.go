package layout

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func text(s string) *TextRecord {
	t := TextRecord(s)
	return &t
}

func TestAReleaseIsWrittenAsEver(t *testing.T) {
	key, value := golden(t, "release.golden")
	want := ReleaseRecord{
		ID: "5f0c", Who: "ada@desk", When: time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC), Comment: "more room", Restores: 40,
		Changes: []ChangeRecord{
			{Key: "db/port", Before: text("3306"), After: text("3307"), Revision: 17},
			{Key: "new", After: text(`{"a":1}`)},
			{Key: "old", Before: text("\xff"), Revision: 9},
		},
	}
	if number, ok := (Layout{}).ReleaseOf(key); !ok || number != 42 || (Layout{}).Release(42) != key {
		t.Errorf("%q is of release %d, %v", key, number, ok)
	}
	if got, err := want.Encode(); err != nil || string(got) != string(value) {
		t.Errorf("%v: wrote\n%s\nwant\n%s", err, got, value)
	}
	if got, err := DecodeRelease(value); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: read %+v", err, got)
	}
}

func TestALargeReleaseIsCompressed(t *testing.T) {
	large := strings.Repeat(`{"a":"<b>"}`, 200_000)
	want := ReleaseRecord{ID: "1", Who: "ada", Changes: []ChangeRecord{{Kind: "gray", Key: "odd \xff", Before: text(large), After: text(large + "\xff")}}}
	value, err := want.Encode()
	if err != nil || len(value) > 100_000 {
		t.Fatalf("%v: it has %d bytes", err, len(value))
	}
	if got, err := DecodeRelease(value); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: read another one", err)
	}
	for _, bad := range [][]byte{value[:2], value[:len(value)/2], append([]byte("\x1f\x8b"), "junk of some length"...)} {
		if got, err := DecodeRelease(bad); err == nil {
			t.Errorf("%d bytes are read as %+v", len(bad), got)
		}
	}
}

func TestKeysThatAreOfNoRelease(t *testing.T) {
	l := Layout{Namespace: "blue"}
	for _, key := range []string{"", l.Releases(), l.Releases() + "1", l.Release(1) + "/x", l.Release(0), Layout{}.Release(1)} {
		if number, ok := l.ReleaseOf(key); ok {
			t.Errorf("%q is of release %d", key, number)
		}
	}
	if _, err := DecodeRelease([]byte(`{"changes":[{"before":7}]}`)); err == nil {
		t.Error("a number was read as a value")
	}
}
