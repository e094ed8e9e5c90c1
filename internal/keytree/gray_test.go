package keytree

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/source"
)

// on is a gray for a node, with pairs of keys and values; "-" takes a key away.
func on(node string, pairs ...string) Gray {
	g := Gray{Holds: func(i source.Instance) bool { return i.Node == node || node == "*" }, Values: make(map[string]*string)}
	for i := 0; i < len(pairs); i += 2 {
		if g.Values[pairs[i]] = &pairs[i+1]; pairs[i+1] == "-" {
			g.Values[pairs[i]] = nil
		}
	}
	return g
}

func TestGraysLieOverTheValues(t *testing.T) {
	layered := Keys{Prefix: "/c/", Layers: &Layers{"shop", "prod"}}
	base := []string{
		"/c/db", `{"host":"shared","port":1}`, "/c/_service/shop/db", `{"host":"shop"}`, "/c/old", `true`,
		"/c/_environment/prod/db/port", `2`,
	}
	for _, tt := range []struct {
		what  string
		grays map[string]Gray
		want  string
	}{
		{"none", nil, `{"db":{"host":"shop","port":2},"old":true}`},
		{"one for others", map[string]Gray{"g": on("n2", "/c/old", "false")}, `{"db":{"host":"shop","port":2},"old":true}`},
		{"a key of everybody", map[string]Gray{"g": on("n", "/c/db", `{"host":"gray","user":"u"}`)}, `{"db":{"host":"shop","port":2,"user":"u"},"old":true}`},
		{"a key of a layer", map[string]Gray{"g": on("n", "/c/_environment/prod/db/port", `3`)}, `{"db":{"host":"shop","port":3},"old":true}`},
		{"a key that is new", map[string]Gray{"g": on("n", "/c/_environment/prod/_service/shop/db/host", `"gray"`)}, `{"db":{"host":"gray","port":2},"old":true}`},
		{"a layer of others", map[string]Gray{"g": on("n", "/c/_service/till/db/host", `"gray"`)}, `{"db":{"host":"shop","port":2},"old":true}`},
		{"keys taken away", map[string]Gray{"g": on("n", "/c/old", "-", "/c/_environment/prod/db/port", "-", "/c/none", "-")}, `{"db":{"host":"shop","port":1}}`},
		{"null is a value", map[string]Gray{"g": on("n", "/c/none", "null")}, `{"db":{"host":"shop","port":2},"none":null,"old":true}`},
		{"keys of other prefixes", map[string]Gray{"g": on("n", "/d/old", "false")}, `{"db":{"host":"shop","port":2},"old":true}`},
		{"two", map[string]Gray{"a": on("n", "/c/old", "1"), "b": on("n", "/c/new", "2")}, `{"db":{"host":"shop","port":2},"new":2,"old":1}`},
		{"two of one key", map[string]Gray{"a": on("n", "/c/old", "1", "/c/x", "1"), "b": on("*", "/c/old", "2")}, `{"db":{"host":"shop","port":2},"old":2,"x":1}`},
	} {
		v := viewOf(layered, base...)
		v.SetReader(source.Instance{Node: "n"})
		for name, g := range tt.grays {
			v.PutGray(name, "/g/"+name, g, nil, 7)
		}
		if got := textOf(t, v); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.what, got, tt.want)
		}
		for name := range tt.grays {
			v.DeleteGray(name)
		}
		if got := textOf(t, v); got != `{"db":{"host":"shop","port":2},"old":true}` {
			t.Errorf("%s: without the grays there is %s", tt.what, got)
		}
	}
}

func TestWhoReadsDecidesOnGrays(t *testing.T) {
	v := viewOf(Keys{Prefix: "/c/", Strip: true}, "/c/a", "1")
	v.PutGray("g", "/g/g", on("n", "/c/a", "2"), nil, 7)
	v.PutGray("elsewhere", "/g/elsewhere", on("n", "/d/a", "2"), nil, 7)
	if got := textOf(t, v); got != `{"a":1}` || len(v.Grays()) != 0 {
		t.Errorf("before anybody reads: %s by %v", got, v.Grays())
	}
	if !v.SetReader(source.Instance{Node: "n"}) || textOf(t, v) != `{"a":2}` || fmt.Sprint(v.Grays()) != "[g]" {
		t.Errorf("n reads %s by %v", textOf(t, v), v.Grays())
	}
	if v.SetReader(source.Instance{Node: "n", Host: "h"}) {
		t.Error("that n is on a host changes something")
	}
	if key, revision, ok := v.Locate([]string{"a"}); !ok || key != "/g/g" || revision != 7 {
		t.Errorf("the value is from %q, %d, %v", key, revision, ok)
	}
	if !v.SetReader(source.Instance{Node: "m"}) || textOf(t, v) != `{"a":1}` {
		t.Errorf("m reads %s", textOf(t, v))
	}
}

func TestAGrayThatCannotBeReadKeepsTheLastGoodOne(t *testing.T) {
	v := viewOf(Keys{Prefix: "/c/", Strip: true}, "/c/a", "1", "/c/b", "1")
	v.SetReader(source.Instance{Node: "n"})
	v.PutGray("g", "/g/g", on("n", "/c/a", "{"), nil, 6)
	if got := textOf(t, v); got != `{"a":1,"b":1}` || len(v.Grays()) != 0 {
		t.Errorf("one that could never be read: %s", got)
	}
	v.PutGray("g", "/g/g", on("n", "/c/a", "2"), nil, 7)
	for i, bad := range []Gray{on("m", "/c/a", "3", "/c/b", "hunter2"), on("m", "/c/a", strings.Repeat("[", 3000)+strings.Repeat("]", 3000))} {
		v.PutGray("g", "/g/g", bad, nil, int64(8+i))
		if got := textOf(t, v); got != `{"a":2,"b":1}` {
			t.Errorf("after one that cannot be read: %s", got)
		}
		all := v.Refused()
		if len(all) != 1 || all[0].Key != "/g/g" || all[0].Revision != int64(8+i) || strings.Contains(all[0].Err.Error(), "hunter2") {
			t.Errorf("refused: %v", all)
		}
	}
	v.PutGray("g", "/g/g", Gray{}, errors.New("no record"), 10)
	if got := textOf(t, v); got != `{"a":2,"b":1}` || len(v.Refused()) != 1 || !v.GraysAt(map[string]int64{"g": 10}) {
		t.Errorf("after what is no record: %s, %v", got, v.Refused())
	}
	v.PutGray("g", "/g/g", on("n", "/c/b", "2"), nil, 11)
	if got := textOf(t, v); got != `{"a":1,"b":2}` || len(v.Refused()) != 0 {
		t.Errorf("after a good one: %s, %v", got, v.Refused())
	}
	v.KeepGrays(func(string) bool { return false })
	if got := textOf(t, v); got != `{"a":1,"b":1}` || !v.GraysAt(nil) {
		t.Errorf("without any: %s", got)
	}
}

func TestTwoGraysOfOneKeyAreReported(t *testing.T) {
	v := viewOf(Keys{Prefix: "/c/", Strip: true})
	v.SetReader(source.Instance{Node: "n"})
	v.PutGray("a", "/g/a", on("n", "/c/x", "1", "/c/y", "1"), nil, 1)
	v.PutGray("b", "/g/b", on("n", "/c/y", "2"), nil, 2)
	v.PutGray("c", "/g/c", on("m", "/c/x", "3"), nil, 3)
	if got := textOf(t, v); got != `{"x":1,"y":2}` {
		t.Errorf("got %s", got)
	}
	all := v.Refused()
	if len(all) != 1 || all[0].Key != "/g/a" || !strings.Contains(all[0].Err.Error(), `gray "b"`) || !strings.Contains(all[0].Err.Error(), `"/c/y"`) {
		t.Errorf("reported: %v", all)
	}
}

// TestAGrayIsWhatItsValuesWillBe compares what a gray gives with what its values give
// once they are those of the keys: promoting changes nothing for those that had it.
func TestAGrayIsWhatItsValuesWillBe(t *testing.T) {
	k := Keys{Prefix: "/c/", Layers: &Layers{"s", "e"}}
	parts := []string{"/c/a", "/c/a/b", "/c/_service/s/a", "/c/_environment/e/a/b", "/c/_environment/e/_service/s/b"}
	values := []string{"1", `{"b":2}`, `{"c":{"d":3}}`, "null", "-"}
	for mask := range 1 << len(parts) {
		base, promoted := viewOf(k, "/c/a", `{"b":1,"c":{"x":1}}`, "/c/_service/s/a", `{"y":1}`), viewOf(k, "/c/a", `{"b":1,"c":{"x":1}}`, "/c/_service/s/a", `{"y":1}`)
		var pairs []string
		for i, key := range parts {
			if mask>>i&1 == 0 {
				continue
			}
			value := values[(mask+i)%len(values)]
			if pairs = append(pairs, key, value); value == "-" {
				promoted.Delete(key)
			} else {
				take(promoted, put(9, key, value))
			}
		}
		base.PutGray("g", "/g/g", on("*", pairs...), nil, 8)
		if got, want := textOf(t, base), textOf(t, promoted); got != want {
			t.Fatalf("%v as a gray: %s, as values: %s", pairs, got, want)
		}
	}
}

func BenchmarkThousandGrays(b *testing.B) {
	v := NewView(Keys{Prefix: "/c/", Strip: true}, json.NewEncoder())
	v.SetReader(source.Instance{Node: "n"})
	for i := range 1000 {
		key := fmt.Sprintf("/c/k%d", i)
		if err := v.Put(key, []byte("1"), 1); err != nil {
			b.Fatal(err)
		}
		v.PutGray(fmt.Sprint("g", i), "/g/g", on("*", key, "2"), nil, 2)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Text(); err != nil {
			b.Fatal(err)
		}
	}
}
