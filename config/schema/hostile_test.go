package schema

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSchemasThatAreRefused(t *testing.T) {
	asked := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		_, _ = w.Write([]byte("{}"))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(file, []byte(`{"type":"null"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	nested := func(levels int, open, inner, end string) string {
		return strings.Repeat(open, levels) + inner + strings.Repeat(end, levels)
	}
	for _, tt := range []struct{ what, text, want string }{
		{"nothing", ``, "the value is empty"},
		{"cut short", `{"type":`, "line 1, column 8"},
		{"no schema", `[]`, "neither an object"},
		{"a text", `"x"`, "neither an object"},
		{"a type that is none", `{"properties":{"a":{"type":"strnig"}}}`, `properties/a/type: anyOf`},
		{"a bound that is none", `{"minimum":"x"}`, `minimum: type: it is a string, and has to be a number`},
		{"another draft", `{"$schema":"https://example.com/schema"}`, `refers to "https://example.com/schema"`},
		{"to the network", `{"$ref":"` + server.URL + `/a.json"}`, "never fetched"},
		{"to the network by an id", `{"$id":"` + server.URL + `/","$ref":"a.json"}`, "never fetched"},
		{"to the network from within", `{"properties":{"a":{"items":{"$ref":"` + server.URL + `/b.json#/x"}}}}`, "never fetched"},
		{"to a file", `{"$ref":"file://` + file + `"}`, "never fetched"},
		{"to a path", `{"$ref":"` + file + `"}`, "never fetched"},
		{"to a file beside", `{"$ref":"other.json"}`, `refers to "other.json"`},
		{"to nothing", `{"$ref":"#/$defs/no"}`, "#/$defs/no"},
		{"to itself", `{"$ref":"#"}`, "# refers to itself without end"},
		{"to itself in a circle", `{"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}}`, "refers to itself without end"},
		{"dynamically", `{"$dynamicRef":"#x","$dynamicAnchor":"x"}`, "use $ref"},
		{"recursively", `{"$schema":"https://json-schema.org/draft/2019-09/schema","items":{"$recursiveRef":"#"}}`, "use $ref"},
		{"a megabyte", `{"description":"` + strings.Repeat("x", 1<<20) + `"}`, "at most 262144"},
		{"a thousand levels", nested(1000, `{"not":`, `true`, `}`), "more than 128 levels"},
		{"a hundred thousand levels", nested(100_000, `[`, ``, `]`), "exceeded max depth"},
		{"many values", `{"enum":[` + strings.Repeat(`[1,2,3,4,5,6,7,8,9,10,11],`, 1999) + `0]}`, "more than 20000 values"},
		{"a long list", `{"enum":[` + strings.Repeat("1,", 5000) + `0]}`, "5001 elements"},
		{"many references", `{"allOf":[` + strings.Repeat(`{"$ref":"#/x"},`, 1500) + `true],"x":true}`, "references"},
		{"a chain of references", chain(200, func(i int) string { return fmt.Sprintf(`{"$ref":"#/$defs/d%d"}`, i+1) }), "more than 128 schemas"},
		{"a pattern that is none", `{"pattern":"("}`, "missing closing )"},
		{"a pattern that looks around", `{"pattern":"(?=x)"}`, "invalid or unsupported Perl syntax"},
		{"a pattern that repeats", `{"pattern":"((a{0,30}){0,30}){0,30}"}`, "expression"},
		{"a large pattern", `{"pattern":"x{900}y{900}z{900}a{900}b{900}c{900}"}`, "at most 5000"},
		{"a large number", `{"minimum":1e999999999}`, "more digits"},
		{"a long number", `{"minimum":` + strings.Repeat("9", 100_000) + `}`, "more digits"},
		{"a small number", `{"multipleOf":1e-999999999}`, "more digits"},
		{"a multiple of nothing", `{"multipleOf":0}`, "multipleOf"},
	} {
		s, err := Compile([]byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "read the schema: ") || len(err.Error()) > 1000 {
			t.Errorf("%s: %v, %.1000v, want %q", tt.what, s, err, tt.want)
		}
	}
	select {
	case path := <-asked:
		t.Errorf("%s was fetched", path)
	default:
	}
}

// TestNothingIsDialled: a reference to an address where nobody answers is refused at once
// and not after some time.
func TestNothingIsDialled(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if _, err := Compile([]byte(`{"$ref":"http://` + listener.Addr().String() + `/x"}`)); err == nil {
		t.Error("taken")
	}
}

// chain is a schema whose definitions d0 to dn are made by each.
func chain(n int, each func(i int) string) string {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/d0","$defs":{`)
	for i := range n {
		fmt.Fprintf(&b, `"d%d":%s,`, i, each(i))
	}
	fmt.Fprintf(&b, `"d%d":{"type":"string"}}}`, n)
	return b.String()
}

func TestJudgementsThatTakeTooLong(t *testing.T) {
	twice := func(keyword string) string {
		return chain(40, func(i int) string {
			return fmt.Sprintf(`{"%s":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%[2]d"}]}`, keyword, i+1)
		})
	}
	deep := strings.Repeat(`{"x":`, 60) + `1` + strings.Repeat(`}`, 60)
	for _, tt := range []struct{ what, schema, document string }{
		{"twice as many alternatives each time", twice("anyOf"), `1`},
		{"all of twice as many", twice("allOf"), `"x"`},
		{"none of twice as many", `{"not":` + strings.Replace(twice("anyOf"), `"#/$defs`, `"#/not/$defs`, -1) + `}`, `1`},
		{"twice as many below", `{"properties":{"x":{"$ref":"#"}},"allOf":[{"properties":{"x":{"$ref":"#"}}}]}`, deep},
		{"twice as many by a pattern", `{"patternProperties":{"x":{"$ref":"#"},"^x":{"$ref":"#"}}}`, deep},
		{"twice as many elements", `{"items":{"$ref":"#"},"contains":{"$ref":"#"}}`, strings.Repeat("[", 60) + strings.Repeat("]", 60)},
		{"a long pattern and a long text", `{"pattern":"(x{400}|y)*(z{900})"}`, `"` + strings.Repeat("x", 1<<20) + `"`},
		{"many lists that are to differ", `{"uniqueItems":true}`, `[` + strings.Repeat(`[[],1],[[1]],`, 20_000) + `0]`},
		{"a large number", `{"minimum":1}`, `1e999999999`},
		{"a large number deep within", `{"uniqueItems":true}`, `[[{"a":1e-99999999}]]`},
	} {
		err := compile(t, tt.schema).Check([]byte(tt.document))
		if err == nil || !strings.Contains(err.Error(), "steps") && !strings.Contains(err.Error(), "digits") {
			t.Errorf("%s: %.300v", tt.what, err)
		}
	}
}

// TestLargeDocuments: what an honest operator has is judged.
func TestLargeDocuments(t *testing.T) {
	list := `[` + strings.Repeat(`{"host":"10.0.0.1","port":3306},`, 9_999) + `{"host":"10.0.0.1","port":0}]`
	err := compile(t, `{"items":{"type":"object","properties":{"host":{"type":"string","format":"ipv4","pattern":"^[0-9.]+$"},"port":{"type":"integer","minimum":1}},"required":["host","port"],"additionalProperties":false}}`).Check([]byte(list))
	if err == nil || err.Error() != "9999/port: minimum: 0 is less than 1" {
		t.Error(err)
	}
	deep := strings.Repeat(`{"x":`, 1000) + `1` + strings.Repeat(`}`, 1000)
	if err := compile(t, `{"type":["object","number"],"properties":{"x":{"$ref":"#"}}}`).Check([]byte(deep)); err != nil {
		t.Error(err)
	}
}

// FuzzCheck: whatever stands in a schema and in a document, there is an answer.
func FuzzCheck(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"type":"object","properties":{"a":{"minimum":1}},"required":["a"],"additionalProperties":false}`, `{"a":0,"b":[]}`},
		{`{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"type":"null"},{"items":{"$ref":"#"}}]}}}`, `[[null]]`},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"x":{"$id":"#x"}},"$ref":"#x","dependencies":{"a":["b"]}}`, `{"a":{}}`},
		{`{"$id":"http://x/","$anchor":"a","$ref":"#a","format":"uri","pattern":"^x"}`, `"x"`},
		{`{"if":{"uniqueItems":true},"then":{"contains":{},"maxContains":2},"unevaluatedItems":false,"prefixItems":[true]}`, `[1,1e3]`},
		{`{"properties":{"p":{"writeOnly":true,"not":{}}},"oneOf":[true,{}],"propertyNames":{"maxLength":1}}`, `{"p":"x"}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, document string) {
		s, err := Compile([]byte(text))
		if err != nil {
			return
		}
		if s.String() != text {
			t.Errorf("the text of the schema is %q", s)
		}
		first := s.Check([]byte(document))
		if second := s.Check([]byte(document)); fmt.Sprint(first) != fmt.Sprint(second) {
			t.Errorf("judged twice: %v and %v", first, second)
		}
	})
}
