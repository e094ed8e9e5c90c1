package keytree

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/encoder/toml"
	"github.com/rollcall-go/micro/config/encoder/yaml"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// step is what happened to one key: it got a value at a revision, or is gone.
type step struct {
	key, value string
	revision   int64
	gone       bool
}

func put(revision int64, key, value string) step { return step{key, value, revision, false} }

func gone(key string) step { return step{key: key, gone: true} }

// take takes steps and returns the keys whose values were refused.
func take(v *View, steps ...step) (refused []string) {
	for _, s := range steps {
		if s.gone {
			v.Delete(s.key)
		} else if err := v.Put(s.key, []byte(s.value), s.revision); err != nil {
			refused = append(refused, s.key)
		}
	}
	return refused
}

func textOf(t *testing.T, v *View) string {
	t.Helper()
	text, err := v.Text()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// viewOf returns the view of pairs of keys and values.
func viewOf(k Keys, pairs ...string) *View {
	v := NewView(k, json.NewEncoder())
	for i := 0; i < len(pairs); i += 2 {
		take(v, put(int64(i+1), pairs[i], pairs[i+1]))
	}
	return v
}

func TestTreeOfKeys(t *testing.T) {
	stripped := Keys{Prefix: "/my/prefix", Strip: true}
	for _, tt := range []struct {
		what  string
		keys  Keys
		pairs []string
		want  string
	}{
		{"the whole key is the path", Keys{Prefix: "/micro/config/"}, []string{"/micro/config/database", `{"port":3306}`},
			`{"micro":{"config":{"database":{"port":3306}}}}`},
		{"nothing", Keys{Prefix: "/micro/config/"}, nil, `{}`},
		{"first-level keys", stripped, []string{"/my/prefix/database", `{"port":1}`, "/my/prefix/name", `"x"`, "/my/prefix/mysql/master", `{"h":1}`},
			`{"database":{"port":1},"mysql":{"master":{"h":1}},"name":"x"}`},
		{"a key below a value", stripped, []string{"/my/prefix/both", `{"old":1,"sub":{"x":1}}`, "/my/prefix/both/sub", `2`},
			`{"both":{"old":1,"sub":2}}`},
		{"a key below a scalar", stripped, []string{"/my/prefix/a", `5`, "/my/prefix/a/b", `1`}, `{"a":{"b":1}}`},
		{"empty parts", stripped, []string{"/my/prefix/tail/", `{"a":1}`, "/my/prefix/x//y", `1`}, `{"tail":{"":{"a":1}},"x":{"":{"y":1}}}`},
		{"dots mean nothing", stripped, []string{"/my/prefix/../a", `1`, "/my/prefix/.", `2`}, `{".":2,"..":{"a":1}}`},
		{"odd characters", stripped, []string{"/my/prefix/ключ\u0001\u007f", `1`}, "{\"ключ\\u0001\u007f\":1}"},
		{"the prefix ends at a part", stripped, []string{"/my/prefixed", `{"no":1}`, "/my/prefix-2/a", `{"no":1}`, "/my/prefix/a", `1`}, `{"a":1}`},
		{"the prefix itself", stripped, []string{"/my/prefix", `{"a":{"b":1}}`, "/my/prefix/a/c", `2`}, `{"a":{"b":1,"c":2}}`},
		{"numbers keep their digits", stripped, []string{"/my/prefix/n", `12345678901234567890.10`}, `{"n":12345678901234567890.10}`},
		{"a namespace is no part", Keys{Namespace: "/blue", Prefix: "/a/"}, []string{"/blue/a/b", `1`, "/a/b", `2`, "/green/a/b", `3`}, `{"a":{"b":1}}`},
		{"everything", Keys{}, []string{"a", `1`, "/b/c", `2`}, `{"a":1,"b":{"c":2}}`},
	} {
		if got := textOf(t, viewOf(tt.keys, tt.pairs...)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.what, got, tt.want)
		}
	}
}

func TestLayers(t *testing.T) {
	pairs := []string{
		"/micro/config/db", `{"host":"shared","port":1,"user":"u"}`,
		"/micro/config/_service/shop/db", `{"host":"shop"}`,
		"/micro/config/_service/other/db", `{"host":"other"}`,
		"/micro/config/_environment/prod/db/port", `2`,
		"/micro/config/_environment/test/db/port", `3`,
		"/micro/config/_environment/prod/_service/shop/db/user", `"shop-prod"`,
		"/micro/config/_environment/prod/_service/other/db/user", `"other-prod"`,
	}
	for _, tt := range []struct{ service, environment, want string }{
		{"shop", "prod", `{"db":{"host":"shop","port":2,"user":"shop-prod"}}`},
		{"shop", "test", `{"db":{"host":"shop","port":3,"user":"u"}}`},
		{"shop", "", `{"db":{"host":"shop","port":1,"user":"u"}}`},
		{"", "prod", `{"db":{"host":"shared","port":2,"user":"u"}}`},
		{"new", "stage", `{"db":{"host":"shared","port":1,"user":"u"}}`},
	} {
		k := Keys{Prefix: "/micro/config/", Layers: &Layers{tt.service, tt.environment}}
		if got := textOf(t, viewOf(k, pairs...)); got != tt.want {
			t.Errorf("for %q in %q: got %s, want %s", tt.service, tt.environment, got, tt.want)
		}
	}
}

func TestRefusedValuesKeepTheLastGoodOne(t *testing.T) {
	v := viewOf(Keys{Prefix: "/c", Strip: true}, "/c/a", `{"n":1}`, "/c/bad", "{\n\"x\":")
	if got := textOf(t, v); got != `{"a":{"n":1}}` {
		t.Errorf("a value that could never be read: %s", got)
	}
	for i, bad := range []string{"", "{", "hello", `{"n":2}x`, strings.Repeat("[", 20_000), strings.Repeat("[", 3000) + strings.Repeat("]", 3000)} {
		if err := v.Put("/c/a", []byte(bad), int64(10+i)); err == nil || v.Revision("/c/a") != int64(10+i) {
			t.Errorf("%.20q is taken", bad)
		}
		if got := textOf(t, v); got != `{"a":{"n":1}}` {
			t.Errorf("after %.20q: %.100s", bad, got)
		}
	}
	if all := v.Refused(); len(all) != 2 || all[1].Key != "/c/bad" || !strings.Contains(all[1].Err.Error(), "line 2, column 4") {
		t.Errorf("refused: %v", all)
	}
	take(v, put(20, "/c/a", "3"), gone("/c/bad"))
	if got := textOf(t, v); got != `{"a":3}` || len(v.Refused()) != 0 {
		t.Errorf("after a good value: %s, %v", got, v.Refused())
	}
	for _, key := range []string{"/c/\xff", "/c" + strings.Repeat("/x", 3000), "/c"} {
		if refused := take(v, put(21, key, "1")); len(refused) != 1 {
			t.Errorf("key %.20q is taken", key)
		}
	}
	if got := textOf(t, v); got != `{"a":3}` {
		t.Errorf("got %s", got)
	}
}

func TestOtherEncoders(t *testing.T) {
	v := NewView(Keys{Prefix: "/c", Strip: true}, yaml.NewEncoder())
	take(v, put(1, "/c/a", "hello"), put(2, "/c/b", "x: 1\n"), put(3, "/c/n", ".nan"))
	if got := textOf(t, v); got != `{"a":"hello","b":{"x":1}}` {
		t.Errorf("YAML: %s, %v", got, v.Refused())
	}
	v = NewView(Keys{Prefix: "/c", Strip: true}, toml.NewEncoder())
	take(v, put(1, "/c/a", "n = 9007199254740993\nd = 1979-05-27T07:32:00Z\n"), put(2, "/c/n", "x = inf"))
	if got := textOf(t, v); got != `{"a":{"d":"1979-05-27T07:32:00Z","n":9007199254740993}}` {
		t.Errorf("TOML: %s, %v", got, v.Refused())
	}
}

// TestStepsEqualAListing applies random steps and compares the view with that of a
// fresh listing after each.
func TestStepsEqualAListing(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	parts := []string{"a", "b", "", "a-x", "_service", "_environment", "s", "e"}
	for _, k := range []Keys{
		{Prefix: "/c", Strip: true}, {Prefix: "/c"}, {Prefix: "/c/"}, {Namespace: "/n", Prefix: "/c/", Strip: true},
		{Prefix: "/c/", Layers: &Layers{"s", "e"}},
	} {
		v, store := viewOf(k), map[string]string{}
		for step := range 60 {
			touched := map[string]bool{}
			for range 1 + random.IntN(4) {
				key := k.Namespace + "/c"
				for range random.IntN(4) {
					key += "/" + parts[random.IntN(len(parts))]
				}
				if touched[key] {
					continue
				}
				touched[key] = true
				if _, ok := store[key]; ok && random.IntN(2) == 0 {
					delete(store, key)
					take(v, gone(key))
					continue
				}
				store[key] = []string{`1`, `{"a":1}`, `{"a":{"b":null}}`, `[1]`, `"s"`}[random.IntN(5)]
				take(v, put(int64(step+1), key, store[key]))
			}
			var pairs []string
			for key, value := range store {
				pairs = append(pairs, key, value)
			}
			fresh := viewOf(k, pairs...)
			// The key of the prefix itself keeps its last good value: leave it out.
			if len(v.Refused()) > 0 {
				continue
			}
			if got, want := textOf(t, v), textOf(t, fresh); got != want {
				t.Fatalf("seed %d, keys %+v, step %d: the view is %s, a listing gives %s", seed, k, step, got, want)
			}
		}
	}
}

func FuzzKeys(f *testing.F) {
	for _, key := range []string{"/c", "/c/a", "/c//", "/c/../x", "/c/_service/s/a", "/c/_environment/e/_service/s", "/cx", "", "/c/\xff"} {
		f.Add("/c", key, `{"a":1}`)
	}
	f.Fuzz(func(t *testing.T, prefix, key, value string) {
		for _, k := range []Keys{{Prefix: prefix}, {Prefix: prefix, Strip: true}, {Prefix: prefix, Layers: &Layers{"s", "e"}}} {
			v := viewOf(k, key, value, prefix+"/known", `{"x":[true]}`)
			if _, err := v.Text(); err != nil {
				t.Errorf("key %q, value %q: %v", key, value, err)
			}
			take(v, gone(key), gone(prefix+"/known"))
			if got, err := v.Text(); err != nil || string(got) != "{}" {
				t.Errorf("of key %q there is left %s, %v", key, got, err)
			}
		}
	})
}

func BenchmarkText(b *testing.B) {
	var pairs []string
	for i := range 10_000 {
		pairs = append(pairs, fmt.Sprintf("/micro/config/s%d/k%d", i/100, i), `{"host":"10.0.0.1","port":3306}`)
	}
	v := viewOf(Keys{Prefix: "/micro/config/"}, pairs...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Text(); err != nil {
			b.Fatal(err)
		}
	}
}
