package schema

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func compile(t *testing.T, text string) *Schema {
	t.Helper()
	s, err := Compile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCheck(t *testing.T) {
	const port = `{"type":"object","properties":{"port":{"type":"integer","minimum":1,"maximum":65535}},"required":["port"]}`
	for _, tt := range []struct{ schema, document, want string }{
		{port, `{"port":3306}`, ""},
		{port, `{"port":3306.0,"more":1}`, ""},
		{port, `{"port":0}`, `port: minimum: 0 is less than 1`},
		{port, `{"port":70000}`, `port: maximum: 70000 is more than 65535`},
		{port, `{"port":"a"}`, `port: type: it is a string, and has to be an integer`},
		{port, `{}`, `port: required: it is missing`},
		{port, `[]`, `the value: type: it is a list, and has to be an object`},
		{`true`, `1`, ""},
		{`false`, `1`, `the value: false: nothing may stand here`},
		{`{"enum":["a","b"]}`, `"c"`, `the value: enum: "c" is none of "a", "b"`},
		{`{"const":1}`, `2`, `the value: const: 2 is not 1`},
		{`{"pattern":"^a+$"}`, `"b"`, `the value: pattern: "b" does not match "^a+$"`},
		{`{"format":"ipv4"}`, `"nowhere"`, `the value: format: "nowhere" is not of the format "ipv4"`},
		{`{"minLength":3}`, `"ü"`, `the value: minLength: it has 1 characters, and needs 3`},
		{`{"maxLength":1}`, `"ab"`, `the value: maxLength: it has 2 characters, and may have 1`},
		{`{"items":{"minItems":2}}`, `[[1,2],[1]]`, `1: minItems: it has 1 elements, and needs 2`},
		{`{"uniqueItems":true,"maxItems":2}`, `[1,2,1.0]`, `the value: maxItems: it has 3 elements, and may have 2; the value: uniqueItems: elements 0 and 2 are equal`},
		{`{"prefixItems":[true],"items":false}`, `[1,2]`, `1: false: nothing may stand here`},
		{`{"contains":{"const":1}}`, `[2]`, `the value: contains: no element is as the schema wants one to be`},
		{`{"contains":{"const":1},"minContains":2}`, `[1]`, `the value: minContains: 1 elements are as the schema wants them to be, and 2 have to`},
		{`{"contains":{"const":1},"maxContains":1}`, `[1,1]`, `the value: maxContains: 2 elements are as the schema wants them to be, and 1 may`},
		{`{"minProperties":2,"maxProperties":0}`, `{"a":1}`, `the value: maxProperties: it has 1 fields, and may have 0; the value: minProperties: it has 1 fields, and needs 2`},
		{`{"additionalProperties":false}`, `{"a/b":1,"c~":2}`, `a~1b: additionalProperties: the schema has no such field; c~0: additionalProperties: the schema has no such field`},
		{`{"propertyNames":{"pattern":"^a"}}`, `{"b":1}`, `the value: propertyNames: the name "b" is not one that the schema takes`},
		{`{"dependentRequired":{"a":["b"]}}`, `{"a":1}`, `b: dependentRequired: it is missing, and "a" is there`},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a":["b"]}}`, `{"a":1}`, `b: dependencies: it is missing, and "a" is there`},
		{`{"$schema":"http://json-schema.org/draft-04/schema#","maximum":5,"exclusiveMaximum":true}`, `5`, `the value: exclusiveMaximum: 5 is not less than 5`},
		{`{"exclusiveMinimum":0.5,"multipleOf":0.1}`, `0.25`, `the value: exclusiveMinimum: 0.25 is not more than 0.5; the value: multipleOf: 0.25 is no multiple of 0.1`},
		{`{"anyOf":[{"type":"null"},{"type":"object","properties":{"a":{"minimum":1}}}]}`, `{"a":0}`, `the value: anyOf: none of the 2 alternatives holds; of one, the value: type: it is an object, and has to be null`},
		{`{"oneOf":[{"minimum":1},{"minimum":2}]}`, `3`, `the value: oneOf: it fits the alternatives 0 and 1, and may fit one`},
		{`{"not":{"const":1}}`, `1`, `the value: not: it is what it may not be`},
		{`{"if":{"const":1},"then":{"minimum":2},"else":true}`, `1`, `the value: minimum: 1 is less than 2`},
		{`{"$ref":"#/$defs/a","$defs":{"a":{"type":"null"}}}`, `1`, `the value: type: it is a number, and has to be null`},
		{`{"maximum":9007199254740992}`, `9007199254740993`, `the value: maximum: 9007199254740993 is more than 9007199254740992`},
		{`{"properties":{"a":{"$ref":"#"}},"required":["a"],"maxProperties":1}`, `{"a":{"a":{}}}`, `a/a/a: required: it is missing`},
		{`{"unevaluatedProperties":false,"allOf":[{"properties":{"a":true}}]}`, `{"a":1,"b":2}`, `b: false: nothing may stand here`},
	} {
		err := compile(t, tt.schema).Check([]byte(tt.document))
		var found *Error
		if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &found) || err.Error() != tt.want) {
			t.Errorf("%s of %s:\n got %v\nwant %s", tt.document, tt.schema, err, tt.want)
		}
	}
}

func TestViolationsNameTheirPlaceInTheSchema(t *testing.T) {
	err := compile(t, `{"properties":{"a b":{"items":{"$ref":"#/$defs/x"}}},"$defs":{"x":{"type":"null"}}}`).Check([]byte(`{"a b":[null,1]}`))
	var found *Error
	if !errors.As(err, &found) || len(found.Violations) != 1 {
		t.Fatal(err)
	}
	want := Violation{Path: "a b/1", Rule: "type", At: "#/$defs/x", Text: "it is a number, and has to be null"}
	if found.Violations[0] != want {
		t.Errorf("got %+v, want %+v", found.Violations[0], want)
	}
}

func TestManyViolationsAreCutShort(t *testing.T) {
	err := compile(t, `{"items":{"type":"null"}}`).Check([]byte("[" + strings.Repeat("1,", 999) + "1]"))
	var found *Error
	if !errors.As(err, &found) || len(found.Violations) != maxTold || found.More != 1000-maxTold || !strings.HasSuffix(err.Error(), "and 995 more") {
		t.Errorf("%v: %+v", err, found)
	}
}

// TestSecretsAreNotShown: of what a schema calls secret no violation has the value.
func TestSecretsAreNotShown(t *testing.T) {
	const value = "hunter2"
	rules := `"enum":["a"],"const":"b","pattern":"^c$","format":"ipv4","minLength":50,"type":"string"`
	for _, schema := range []string{
		`{"properties":{"db":{"properties":{"password":{"writeOnly":true,RULES}}}}}`,
		`{"properties":{"db":{"properties":{"password":{"format":"secret","not":{"format":"ipv6"},"enum":["x"],"pattern":"^x$","const":"y"}}}}}`,
		`{"properties":{"db":{"writeOnly":true,"additionalProperties":{RULES}}}}`,
		`{"allOf":[{"$ref":"#/$defs/one"},{"properties":{"db":{"properties":{"password":{RULES}}}}}],"$defs":{"one":{"properties":{"db":{"patternProperties":{"^pass":{"writeOnly":true}}}}}}}`,
		`{"anyOf":[{"properties":{"db":{"properties":{"password":{"writeOnly":true,RULES}}}}},false]}`,
		`{"if":{"properties":{"db":{"properties":{"password":{"writeOnly":true,"const":"never"}}}}},"else":{"properties":{"db":{"properties":{"password":{RULES}}}}}}`,
		`{"properties":{"db":{"enum":[{"password":"x"}],"const":{}}}}`,
	} {
		err := compile(t, strings.ReplaceAll(schema, "RULES", rules)).Check([]byte(`{"db":{"password":"` + value + `"}}`))
		var found *Error
		if !errors.As(err, &found) {
			t.Fatalf("%s: %v", schema, err)
		}
		for _, v := range found.Violations {
			if strings.Contains(v.String(), value) {
				t.Errorf("%s: %v", schema, v)
			}
		}
	}
	if err := compile(t, `{"properties":{"a":{"const":"b"}}}`).Check([]byte(`{"a":"` + value + `"}`)); err == nil || !strings.Contains(err.Error(), value) {
		t.Errorf("what is no secret is not shown: %v", err)
	}
}

// TestSealedValuesAreNotJudged: nobody knows whether they keep a rule.
func TestSealedValuesAreNotJudged(t *testing.T) {
	sealed := func(text string) bool { return strings.HasPrefix(text, "sealed:") }
	for schema, holds := range map[string]bool{
		`{"properties":{"a":{"type":"integer","minimum":1}}}`:                          true,
		`{"properties":{"a":{"anyOf":[{"type":"integer"},{"enum":[1]}]}}}`:             true,
		`{"properties":{"a":{"oneOf":[{"type":"integer"},{"type":"null"}]}}}`:          true,
		`{"anyOf":[{"properties":{"a":{"type":"integer"}}},false]}`:                    true,
		`{"properties":{"a":{"maxLength":3}},"required":["b"]}`:                        false,
		`{"anyOf":[{"properties":{"a":{"type":"integer"}},"required":["b"]},false]}`:   false,
		`{"properties":{"a":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":["integer"]}}}`: true,
		`{"properties":{"a":{"allOf":[{"type":"integer"},{"pattern":"^x"}]}}}`:         true,
		`{"additionalProperties":false}`:                                               false,
	} {
		if err := compile(t, schema).CheckValue(map[string]any{"a": "sealed:xyz"}, Unknown{Sealed: sealed}); (err == nil) != holds {
			t.Errorf("%s: %v", schema, err)
		}
	}
}

// TestPartsAreJudgedForWhatTheyHave: what is missing may stand elsewhere.
func TestPartsAreJudgedForWhatTheyHave(t *testing.T) {
	for schema, holds := range map[string]bool{
		`{"required":["b"],"minProperties":3,"dependentRequired":{"a":["b"]}}`:          true,
		`{"anyOf":[{"required":["b"]},{"required":["c"]}]}`:                             true,
		`{"not":{"required":["a"]}}`:                                                    true,
		`{"const":{"a":1,"b":2}}`:                                                       true,
		`{"properties":{"a":{"minimum":2}}}`:                                            false,
		`{"additionalProperties":false}`:                                                false,
		`{"maxProperties":0}`:                                                           false,
		`{"properties":{"a":{"type":"string"}},"anyOf":[{"required":["b"]}]}`:           false,
		`{"anyOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"a":false}}]}`: false,
	} {
		if err := compile(t, schema).CheckValue(map[string]any{"a": json.Number("1")}, Unknown{Fields: true}); (err == nil) != holds {
			t.Errorf("%s: %v", schema, err)
		}
	}
}
