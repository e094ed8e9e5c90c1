package tree

import (
	"encoding/json"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func read(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMerge(t *testing.T) {
	for _, tt := range []struct{ under, over, want string }{
		{`{"a":1}`, `{"a":2}`, `{"a":2}`},
		{`{"a":1,"b":true,"c":"x","d":[1]}`, `{"a":0,"b":false,"c":"","d":[]}`, `{"a":0,"b":false,"c":"","d":[]}`},
		{`{"a":{"b":1}}`, `{"a":{"c":2}}`, `{"a":{"b":1,"c":2}}`},
		{`{"a":{"b":1}}`, `{"a":{}}`, `{"a":{"b":1}}`},
		{`{"a":{"b":1}}`, `{"a":5}`, `{"a":5}`},
		{`{"a":5}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{`{"a":5}`, `{"a":"five"}`, `{"a":"five"}`},
		{`{"a":[1,2,3]}`, `{"a":[4]}`, `{"a":[4]}`},
		{`{"a":5}`, `{"a":null}`, `{"a":5}`},
		{`{}`, `{"a":null}`, `{"a":null}`},
	} {
		over := read(t, tt.over)
		if got := text(t, Merge(read(t, tt.under), over)); got != tt.want {
			t.Errorf("%s over %s gives %s, want %s", tt.over, tt.under, got, tt.want)
		}
		if got := text(t, over); got != tt.over {
			t.Errorf("%s was changed to %s", tt.over, got)
		}
	}
}

func TestMergeCopies(t *testing.T) {
	over := read(t, `{"a":{"b":1}}`)
	merged := Merge(nil, over)
	Merge(merged, read(t, `{"a":{"b":2}}`))
	if got := text(t, over); got != `{"a":{"b":1}}` {
		t.Errorf("a later merge changed an earlier layer to %s", got)
	}
}

func TestPutAndDelete(t *testing.T) {
	root := read(t, `{"a":5,"o":{"p":1,"q":2}}`)
	Put(root, 1.0, "a", "b", "c")
	Put(root, "x", "", "")
	if Put(root, 7) {
		t.Error("a number took the place of the root")
	}
	Put(root, map[string]any{"r": 3}, []string{}...)
	Delete(root, "o", "p")
	Delete(root, "r", "deeper", "yet")
	if got, want := text(t, root), `{"":{"":"x"},"a":{"b":{"c":1}},"o":{"q":2},"r":3}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	Delete(root)
	if len(root) != 0 {
		t.Errorf("%v is left", root)
	}
}
