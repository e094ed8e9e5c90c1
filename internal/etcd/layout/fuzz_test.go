package layout

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unicode"
)

// FuzzDecode: whatever stands in etcd, a record is a service with the one node that
// its key names, all of it can be shown, and it is written and read again the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `[]`, `{}`, `{"name":"s","nodes":[null]}`, `{"name":"s","version":1}`, `{"name":"s","nodes":[{"id":"n","address":"a:1"}],"leaving":true}`,
		`{"name":"s","version":"1","metadata":null,"endpoints":[null,{"name":"E","request":{"name":"r","values":[null]}}],"nodes":[{"id":"n","address":"10.0.0.1:1","metadata":{"a":"b"}},{"id":"m"}]}`,
		`{"name":"s","nodes":[{"id":"n","address":"\u001b[31m:1"}]}`,
	} {
		f.Add("/micro/registry/s/n", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		l := Layout{}
		s, err := l.Decode(key, value)
		if err != nil {
			shows(t, err.Error())
			return
		}
		if len(s.Nodes) != 1 || s.Nodes[0] == nil || l.Node(s.Name, s.Nodes[0].Id) != key {
			t.Fatalf("%q is read as %+v", key, s)
		}
		shows(t, s.Name, s.Version, s.Nodes[0].Id)
		again, err := Encode(s, s.Nodes[0])
		if err != nil {
			t.Fatal(err)
		}
		if other, err := l.Decode(key, again); err != nil || !reflect.DeepEqual(other, s) {
			t.Fatalf("written and read again: %+v, %v, want %+v", other, err, s)
		}
		if _, err := l.Decode(key, MarkLeaving(again)); err == nil || !strings.Contains(err.Error(), ErrLeaving.Error()) {
			t.Fatalf("marked as leaving: %v", err)
		}
	})
}

// FuzzPauseText: an operator's reason, or what somebody else left there, is one
// bounded line that a terminal shows and does not obey.
func FuzzPauseText(f *testing.F) {
	for _, seed := range []string{``, `maintenance`, `{"by":"ops","at":"2026-01-02T03:04:05Z","reason":"disk"}`, `{"by":{"a":1},"x":["\u001b]0;title\u0007"]}`, "\x1b[2J", "\xff\xfe", `{"reason":"a\nlevel=error b"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		text := PauseText(value)
		shows(t, text)
		if len(text) > 8*pauseLimit {
			t.Fatalf("%d bytes of %d are shown", len(text), len(value))
		}
		if p := DecodePause(value); !bytes.Equal(value, p.Encode()) && DecodePause(p.Encode()) != p {
			t.Fatalf("%+v is written and read as %+v", p, DecodePause(p.Encode()))
		}
	})
}

// shows fails the test if a terminal would obey one of the texts.
func shows(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.ContainsFunc(text, unicode.IsControl) {
			t.Fatalf("a control character is in %q", text)
		}
	}
}
