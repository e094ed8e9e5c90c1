package center

import (
	"reflect"
	"strings"
	"testing"
)

var sample = Tree{
	"db/port": "3306", "db/tls": "false", "greeting": `"héllo <b>\n\"x\""`, "limits": `{"b":[1,2.5,"yes"],"a":{"deep":true}}`, "a key/with space": `[]`,
	"precise": "12345678901234567", "text": `"2020-01-01"`, "number text": `"007"`, "empty": `{}`,
}

func TestFilesGoRoundTrip(t *testing.T) {
	for _, format := range []string{"json", "yaml", "toml"} {
		text, err := Encode(sample, format)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		back, err := Decode(text, format)
		if err != nil || len(Different(sample, back)) > 0 {
			t.Errorf("%s: %v: %v", format, err, Different(sample, back))
		}
		again, err := Encode(back, format)
		if err != nil || string(again) != string(text) {
			t.Errorf("%s: %v: written again it is\n%s\nand was\n%s", format, err, again, text)
		}
	}
	text, err := Encode(Tree{"b": `{"z":1.50,"a":null}`, "a": "12345678901234567890123"}, "json")
	if want := "{\n  \"a\": 12345678901234567890123,\n  \"b\": {\n    \"a\": null,\n    \"z\": 1.50\n  }\n}\n"; err != nil || string(text) != want {
		t.Errorf("%v: got\n%s", err, text)
	}
	back, err := Decode(text, "json")
	if want := (Tree{"b": `{"a":null,"z":1.50}`, "a": "12345678901234567890123"}); err != nil || !reflect.DeepEqual(back, want) {
		t.Errorf("%v: got %v", err, back)
	}
}

// TestNumbersInFiles: JSON keeps how a number is spelled, YAML and TOML what it is.
func TestNumbersInFiles(t *testing.T) {
	spelled := Tree{"a": "1.50", "b": `{"n":[1e2,-0.0,100,0.1,1E-7,9007199254740993]}`}
	for _, format := range []string{"json", "yaml", "toml"} {
		text, err := Encode(spelled, format)
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		back, err := Decode(text, format)
		if err != nil || len(Different(spelled, back)) > 0 || reflect.DeepEqual(back, spelled) != (format == "json") {
			t.Errorf("%s: %v: %v, written as\n%s", format, err, back, text)
		}
	}
}

func TestFilesThatWouldLoseSomething(t *testing.T) {
	for _, tt := range []struct{ value, format, why string }{
		{"null", "toml", `key "k"`},
		{`{"a":null}`, "toml", `key "k"`},
		{"12345678901234567890123", "yaml", "choose json"},
		{"12345678901234567890123", "toml", "choose json"},
		{"hello", "json", "not JSON: line 1"},
		{"1", "ini", `format "ini" is not known`},
	} {
		if text, err := Encode(Tree{"k": tt.value}, tt.format); err == nil || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s as %s: %v: %s", tt.value, tt.format, err, text)
		}
	}
	for format, text := range map[string]string{"json": `{"a":`, "yaml": "a: [", "toml": "a = "} {
		if _, err := Decode([]byte(text), format); err == nil || !strings.Contains(err.Error(), "line 1") && format != "yaml" {
			t.Errorf("%s: %v", format, err)
		}
	}
	for format, text := range map[string]string{"json": "{\n\"a\": {\"x\": 1, \"x\": 2}}", "yaml": "a: 1\na: 2\n", "toml": "a = 1\na = 2\n"} {
		if tree, err := Decode([]byte(text), format); err == nil {
			t.Errorf("%s: of a key that stands twice it read %v", format, tree)
		}
	}
}

func TestWhatSaysTheSame(t *testing.T) {
	before := Tree{"a": `{"x":1,"y":2}`, "b": "1.0", "c": "1e2", "d": "1", "e": "x", "f": "1e999999999"}
	after := Tree{"a": ` {"y":2, "x":1.0}`, "b": "1", "c": "100", "d": `"1"`, "e": "x", "f": "2e999999999"}
	var keys string
	for _, change := range Different(before, after) {
		keys += change.Key
	}
	if keys != "df" {
		t.Errorf("%q differ", keys)
	}
}
