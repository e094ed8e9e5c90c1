package json

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func set(format, text string) *source.ChangeSet {
	return &source.ChangeSet{Format: format, Data: []byte(text), Source: "test"}
}

func valuesOf(t *testing.T, text string) reader.Values {
	t.Helper()
	r := NewReader()
	merged, err := r.Merge(set("json", text))
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Values(merged)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestConversions(t *testing.T) {
	v := valuesOf(t, `{"i":3.7,"i2":"42","i3":3.0,"e":1e3,"big":9007199254740993,"b":"true","b1":1,"t":true,"f":"2.5",
		"d":"1m30s","d2":5,"sl":"a,b","sl1":"a","arr":["x","y"],"arrn":[1,2],"null":null,"s":"text",
		"m":{"a":"x","b":1,"c":{"d":2}}}`)
	minute := time.Minute
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"a broken number", v.Get("i").Int(7), 7},
		{"a number in a string", v.Get("i2").Int(7), 42},
		{"3.0", v.Get("i3").Int(7), 3},
		{"1e3", v.Get("e").Int(7), 1000},
		{"2^53+1", v.Get("big").Int(7), 9007199254740993},
		{"nothing", v.Get("no", "such").Int(7), 7},
		{"true in a string", v.Get("b").Bool(false), true},
		{"1 as a boolean", v.Get("b1").Bool(true), true},
		{"true", v.Get("t").Bool(false), true},
		{"a float in a string", v.Get("f").Float64(0), 2.5},
		{"a float", v.Get("i").Float64(0), 3.7},
		{"a duration", v.Get("d").Duration(0), 90 * time.Second},
		{"a number as a duration", v.Get("d2").Duration(minute), minute},
		{"a string", v.Get("s").String("x"), "text"},
		{"a number as a string", v.Get("b1").String("x"), "x"},
		{"null as a string", v.Get("null").String("x"), "x"},
		{"parts", v.Get("sl").StringSlice(nil), []string{"a", "b"}},
		{"one part", v.Get("sl1").StringSlice([]string{"def"}), []string{"def"}},
		{"a list", v.Get("arr").StringSlice(nil), []string{"x", "y"}},
		{"a list of numbers", v.Get("arrn").StringSlice([]string{"def"}), []string(nil)},
		{"a map", v.Get("m").StringMap(nil), map[string]string{"a": "x", "b": "1", "c": "map[d:2]"}},
		{"no map", v.Get("s").StringMap(map[string]string{"d": "ef"}), map[string]string{"d": "ef"}},
		{"bytes of a string", string(v.Get("s").Bytes()), "text"},
		{"bytes of a number", string(v.Get("big").Bytes()), "9007199254740993"},
		{"bytes of nothing", string(v.Get("no").Bytes()), "null"},
		{"into a list", string(v.Get("arr", "0").Bytes()), "null"},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %#v, want %#v", tt.what, tt.got, tt.want)
		}
	}
	var scanned struct{ A string }
	if err := v.Get("m").Scan(&scanned); err != nil || scanned.A != "x" {
		t.Errorf("scanned %+v, %v", scanned, err)
	}
	scanned.A = "kept"
	if err := v.Get("no").Scan(&scanned); err != nil || scanned.A != "kept" {
		t.Errorf("scanned of nothing %+v, %v", scanned, err)
	}
}

func TestSetAndDel(t *testing.T) {
	v := valuesOf(t, `{"a":{"b":1},"s":"x"}`)
	before := v.Get("a")
	v.Set(2, "a", "b")
	v.Set(map[string]int{"d": 4}, "a", "c")
	v.Set(5, "s", "below")
	if got := string(v.Bytes()); got != `{"a":{"b":2,"c":{"d":4}},"s":{"below":5}}` {
		t.Errorf("after Set: %s", got)
	}
	if got := v.Get("a", "c", "d").Int(0); got != 4 {
		t.Errorf("what was set is read as %d", got)
	}
	if got := string(before.Bytes()); got != `{"b":1}` {
		t.Errorf("a value changed after it was taken: %s", got)
	}
	m := v.Map()
	m["a"].(map[string]any)["b"] = "mine"
	v.Del("a", "c")
	v.Del("no", "such")
	if got := string(v.Bytes()); got != `{"a":{"b":2},"s":{"below":5}}` {
		t.Errorf("after Del: %s", got)
	}
	v.Del()
	if got := string(v.Bytes()); got != `{}` {
		t.Errorf("after Del of everything: %s", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	v := valuesOf(t, `{"a":{"b":1}}`)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 100 {
				v.Set(n, "a", fmt.Sprint(i))
				v.Get("a", "b").Int(0)
				v.Map()
				v.Bytes()
			}
		})
	}
	all.Wait()
	if got := len(v.Map()["a"].(map[string]any)); got != 5 {
		t.Errorf("%d values, want 5: a Set was lost", got)
	}
}

func TestMergeOfFormats(t *testing.T) {
	r := NewReader()
	merged, err := r.Merge(nil, set("json", `{"a":1,"o":{"p":true,"q":[1,2]}}`), set("yaml", ""), set("toml", "a = 2\n[o]\np = false\n"),
		set("yml", "o:\n  q: []\n"), set("nobody knows", `{"z":"json"}`), set("xml", "<c><w>1</w></c>"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(merged.Data), `{"a":2,"o":{"p":false,"q":[]},"w":"1","z":"json"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if merged.Format != "json" || merged.Source != "json" || merged.Checksum != merged.Sum() {
		t.Errorf("got %+v", merged)
	}
	for _, tt := range []struct{ format, text, want string }{
		{"json", `[1]`, `source "test"`},
		{"json", `{"a":`, "line 1, column 5"},
		{"hcl", "a = 1", "WithEncoder"},
		{"toml", "a = nan", "NaN"},
	} {
		if _, err := r.Merge(set(tt.format, tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: %v, want %q", tt.format, tt.text, err, tt.want)
		}
	}
	if empty, err := r.Merge(); err != nil || string(empty.Data) != "null" {
		t.Errorf("of nothing comes %v, %v", empty, err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("ROLLCALL_QUOTE", `","admin":"true`)
	t.Setenv("ROLLCALL_HOST", "h")
	v := valuesOf(t, `{"a":"${ROLLCALL_QUOTE}","b":"x-${ROLLCALL_HOST}-${ROLLCALL_NONE}","c":"${not-a-name} ${} $x ${open"}`)
	for path, want := range map[string]string{"a": `","admin":"true`, "b": "x-h-", "c": "${not-a-name} ${} $x ${open", "admin": "none"} {
		if got := v.Get(path).String("none"); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	r := NewReader()
	merged, err := r.Merge(set("json", `{"micro":{"config":{"database":{"address":"10.0.0.1","port":3306}}}}`))
	if err != nil {
		b.Fatal(err)
	}
	v, err := r.Values(merged)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		v.Get("micro", "config", "database", "address").String("")
	}
}
