package lint

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// formed has the form of a sealed value.
var formed = "rollcall-secret:1:0123456789abcdef:" + strings.Repeat("A", 107)

// told is findings in short.
func told(all []Finding) []string {
	var texts []string
	for _, f := range all {
		who := strings.Trim(f.Environment+"/"+f.Service+" "+f.Gray, "/ ")
		if who != "" {
			who = " for " + who
		}
		texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %s %s %s%s", f.Kind, f.Key, f.Path, f.Rule, who)))
	}
	return texts
}

func wantFindings(t *testing.T, what string, got []Finding, want ...string) {
	t.Helper()
	if texts := told(got); !reflect.DeepEqual(texts, want) {
		t.Errorf("%s:\n got %q\nwant %q\n(%+v)", what, texts, want, got)
	}
}

func TestKeysAndValues(t *testing.T) {
	c := Config{Values: map[string]string{
		"good":      `{"a":1,"b":[{"a":1},{"a":1}],"c":{"a":{}}}`,
		"bad":       "{\n  \"a\": }",
		"text":      "hello",
		"empty":     "",
		"bom":       "\xef\xbb\xbf1",
		"deep":      strings.Repeat("[", 3000) + strings.Repeat("]", 3000),
		"a//b":      "1",
		"a/ /b":     "1",
		"a/../b":    "1",
		"tail/":     "1",
		"x\x01":     "1",
		"\xff":      "1",
		"db":        `{"host":"h"}`,
		"db/port":   "1",
		"twice":     "{\"a\":1,\n \"b\":{\"x\":1,\"x\":2},\"a\":3}",
		"number":    `{"n":[9007199254740993,9007199254740992,1e30,123456789012345678.5]}`,
		"_service":  "1",
		"ключ/порт": "1",
	}}
	all := c.Lint(Options{})
	wantFindings(t, "all", all, "key a/ /b", "key a/../b", "key a//b", "value bad", "value bom", "v2 db", "v2 db/port", "value deep", "value empty", "v2 number number/n/0",
		"key tail/", "value text", "twice twice twice/a", "twice twice twice/b/x", "key x\x01", "key \xff", "value \xff")
	for _, f := range all {
		for key, want := range map[string]string{
			"bad": "line 2, column 8", "bom": "byte order mark", "empty": "the value is empty", "db": `such as "db/port"`,
			"deep": "more than 2000 levels", "twice": "stands twice", "number": "line 1, column 7: go-micro v2 rounds",
		} {
			if f.Key == key && !strings.Contains(f.Text, want) {
				t.Errorf("%s: %q, want %q", key, f.Text, want)
			}
		}
	}
	if got := twice(c.Values["twice"]); !strings.HasPrefix(got[0].text, "line 2, column 13:") || !strings.HasPrefix(got[1].text, "line 2, column 20:") {
		t.Errorf("got %v", got)
	}
	wantFindings(t, "without v2", Config{Values: map[string]string{"bom": c.Values["bom"], "db": "1", "db/port": "1", "number": c.Values["number"], "text": "x"}}.Lint(Options{WithoutV2: true}), "value text")
	wantFindings(t, "with StripPrefix", Config{Values: map[string]string{"a": `{"b":1}`, "b/c": "1"}}.Lint(Options{Stripped: true}), "v2 a")
	if all := (Config{Values: map[string]string{"db": `{"host":"h","list":[],"none":{}}`, "b/c": "1"}}).Lint(Options{}); len(all) != 0 {
		t.Errorf("what is right is blamed: %+v", all)
	}
}

const database = `{"type":"object","properties":{"host":{"type":"string"},"port":{"type":"integer","minimum":1}},"required":["host","port"]}`

func TestSchemas(t *testing.T) {
	type values = map[string]string
	for _, tt := range []struct {
		what    string
		values  values
		schemas values
		want    []string
	}{
		{"nothing there", values{"other": "1"}, values{"db": database}, nil},
		{"one value", values{"db": `{"host":"h","port":0}`}, values{"db": database}, []string{"rule db db/port minimum"}},
		{"several keys", values{"db/host": `"h"`, "db/port": "0"}, values{"db": database}, []string{"rule db/port db/port minimum"}},
		{"a value above", values{"db": `{"host":"h","port":{"max":"x"}}`}, values{"db/port/max": `{"type":"integer"}`}, []string{"rule db db/port/max type"}},
		{"another key with that beginning", values{"dbx": `{}`}, values{"db": database}, nil},
		{"something is missing", values{"db/host": `"h"`}, values{"db": database}, []string{"rule db db/port required"}},
		{"null is nothing", values{"db": `{"host":"h","port":null}`}, values{"db": database}, []string{"rule db db/port required"}},
		{"a null of its own", values{"db": `null`}, values{"db": database}, nil},
		{"what cannot be read", values{"db/host": "x", "db/port": "1"}, values{"db": `{"properties":{"host":{"type":"null"}}}`}, []string{"value db/host"}},
		{"for everything", values{"a": "1", "b": "2"}, values{"": `{"properties":{"b":{"type":"string"}}}`}, []string{"rule b b type"}},
		{"a broken schema", values{"db": "1"}, values{"db": `{"type":1}`}, []string{"schema db db"}},
		{"a sealed secret", values{"db": `{"host":"` + formed + `","port":"${PORT}"}`}, values{"db": database}, nil},
		{"a plain secret", values{"db": `{"key":"text","at":"${X}"}`}, values{"db": `{"properties":{"key":{"writeOnly":true},"at":{"format":"secret"}}}`}, []string{"plain db db/key"}},
		{"a field with a slash", values{"db": `{"a/b":1}`}, values{"db": `{"properties":{"a/b":{"type":"string"}}}`}, []string{"rule db db/a/b type"}},

		{"a part in each layer", values{"db": `{"port":1}`, "_environment/prod/db": `{"host":"p"}`, "_environment/test/db": `{"host":"t"}`}, values{"db": database}, nil},
		{"a part is wrong", values{"db": `{"port":0}`, "_environment/prod/db": `{"host":"p"}`}, values{"db": database}, []string{"rule db db/port minimum"}},
		{"one layer lacks something", values{"db": `{"port":1}`, "_environment/prod/db": `{"host":"p"}`, "_environment/test/db/user": `"u"`}, values{"db": database}, []string{"rule db db/host required for test"}},
		{"a layer above is wrong for itself", values{"db": `{"host":"h","port":1}`, "_service/shop/db/port": `"x"`}, values{"db": database}, []string{"rule _service/shop/db/port db/port type for shop"}},
		{"a layer mends it", values{"db": `{"host":"h"}`, "_service/shop/db/port": `1`}, values{"db": database}, nil},
		{"each service in each environment", values{"_service/shop/db": `{"host":"h"}`, "_service/cart/db": `{"port":1}`, "_environment/prod/db": `{"port":1}`}, values{"db": database}, []string{"rule _environment/prod/db db/host required for prod/cart"}},
		{"a service in one environment alone", values{"db": `{"port":1}`, "_environment/test/_service/beta/db": `{"host":"b"}`, "_environment/prod/db": `{"host":"p"}`}, values{"db": database}, nil},
		{"a schema of a layer", values{"db": `{"port":0}`, "_service/shop/db/port": `-1`, "_service/cart/db/port": "-2"}, values{"_service/shop/db": `{"properties":{"port":{"minimum":0}}}`}, []string{"rule _service/shop/db/port db/port minimum for shop"}},
		{"a schema of a layer that has no values", values{"db": `{"port":0}`}, values{"_environment/prod/db": database}, []string{"rule db db/host required for prod", "rule db db/port minimum for prod"}},
		{"a whole service", values{"a": `"x"`, "_service/shop/b": "1"}, values{"_service/shop": `{"properties":{"a":{"type":"integer"},"b":{"type":"string"}}}`}, []string{"rule _service/shop/b b type for shop", "rule a a type for shop"}},
		{"a layer without a name", values{"_service//db": `{"port":0}`}, values{"db": database}, []string{"key _service//db"}},
	} {
		wantFindings(t, tt.what, Config{Values: tt.values, Schemas: tt.schemas}.Lint(Options{}), tt.want...)
	}
}

func TestGrays(t *testing.T) {
	gray := func(values string) string { return `{"match":{"percent":10},"values":` + values + `}` }
	c := Config{
		Values:  map[string]string{"db": `{"host":"h"}`, "db/port": "1", "other": "1"},
		Schemas: map[string]string{"db": database},
		Grays:   map[string]string{"bad": gray(`{"db/port":"0"}`), "gone": gray(`{"db":null}`), "good": gray(`{"db/port":"5"}`), "other": gray(`{"other":null}`), "broken": "{}"},
	}
	wantFindings(t, "grays", c.Lint(Options{WithoutV2: true}), "gray broken", "rule db db/host required for gone", "rule db/port db/port minimum for bad")
	c.Values["db/port"] = "0"
	wantFindings(t, "the value itself", c.Lint(Options{WithoutV2: true}), "gray broken", "rule db db/host required for gone", "rule db/port db/port minimum")
}

func TestNewViolations(t *testing.T) {
	judge := func(port string, host string) []Violation {
		return Config{Values: map[string]string{"db": `{"port":` + port + `,"host":` + host + `}`}, Schemas: map[string]string{"db": database}}.Judge(nil)
	}
	before := judge("0", "1")
	if len(before) != 2 {
		t.Fatalf("got %+v", before)
	}
	for _, tt := range []struct {
		port, host string
		want       int
	}{{"0", "1", 0}, {"0", `"h"`, 0}, {"-1", "1", 1}, {"0", "2", 1}, {`"x"`, "null", 2}} {
		if got := New(before, judge(tt.port, tt.host)); len(got) != tt.want {
			t.Errorf("port %s and host %s: %+v are new, want %d", tt.port, tt.host, got, tt.want)
		}
	}
}

// FuzzLint: whatever stands in a store, there is an answer, and the same each time.
func FuzzLint(f *testing.F) {
	f.Add("db", `{"port":0}`, "_service/s/db/port", `"x"`, "db", database)
	f.Add("a", "{\"a\":1,\"a\":[{},[]],", "a/b", "\xef\xbb\xbf1", "", `{"additionalProperties":{"writeOnly":true}}`)
	f.Add("_environment/e/_service/s", `{"x":null}`, "_service//", "", "_environment/e", `{"$ref":"#/x","x":{"required":["a"]}}`)
	f.Fuzz(func(t *testing.T, key, value, other, second, at, text string) {
		c := Config{Values: map[string]string{key: value, other: second}, Schemas: map[string]string{at: text}, Grays: map[string]string{"g": text, "h": `{"match":{"percent":10},"values":{"db":"[]","a":null}}`}}
		first := c.Lint(Options{Stripped: true})
		if again := c.Lint(Options{Stripped: true}); !reflect.DeepEqual(first, again) {
			t.Errorf("found %+v and %+v", first, again)
		}
	})
}
