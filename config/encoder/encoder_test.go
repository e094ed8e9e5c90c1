package encoder_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/config/encoder"
	"github.com/rollcall-go/micro/config/encoder/hcl"
	"github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/encoder/toml"
	"github.com/rollcall-go/micro/config/encoder/xml"
	"github.com/rollcall-go/micro/config/encoder/yaml"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var encoders = []encoder.Encoder{json.NewEncoder(), yaml.NewEncoder(), toml.NewEncoder(), xml.NewEncoder(), hcl.NewEncoder()}

func named(name string) encoder.Encoder {
	for _, e := range encoders {
		if e.String() == name {
			return e
		}
	}
	return nil
}

// TestDecode says what documents of each format mean. Where go-micro v2.9.1 can read
// them it reads the same, but for the precision of numbers.
func TestDecode(t *testing.T) {
	for _, tt := range []struct{ format, text, want string }{
		{"json", `{"a":9007199254740993,"b":[1.50,null,true]}`, `{"a":9007199254740993,"b":[1.50,null,true]}`},
		{"json", "\xef\xbb\xbf{\"a\":1}", `{"a":1}`},
		{"json", `{"a":1,"a":2}`, `{"a":2}`},
		{"yaml", "a: yes\n2: b\nd: 2020-01-01\nnum: 9007199254740993\nl: [1, x]\n", `{"2":"b","a":true,"d":"2020-01-01","l":[1,"x"],"num":9007199254740993}`},
		{"yaml", "\xef\xbb\xbfa: &x {b: 1}\nc: *x\n", `{"a":{"b":1},"c":{"b":1}}`},
		{"toml", "n = 9007199254740993\nd = 1979-05-27T07:32:00Z\n[a.b]\nc = true\n", `{"a":{"b":{"c":true}},"d":"1979-05-27T07:32:00Z","n":9007199254740993}`},
		{"toml", "\xef\xbb\xbfa = 1\n", `{"a":1}`},
		{"xml", `<?xml version="1.0"?><config debug="true"><db><host> h </host><port>3306</port></db><peer>a</peer><peer>b</peer><empty/></config>`, `{"db":{"host":"h","port":"3306"},"debug":"true","empty":"","peer":["a","b"]}`},
		{"xml", `<c><a x="1">text</a></c>`, `{"a":{"#text":"text","x":"1"}}`},
		{"hcl", `h "a" { v = 1 }`, `{"h":[{"a":[{"v":1}]}]}`},
	} {
		var got map[string]any
		if err := named(tt.format).Decode([]byte(tt.text), &got); err != nil {
			t.Errorf("%s %q: %v", tt.format, tt.text, err)
			continue
		}
		if text, err := json.NewEncoder().Encode(got); err != nil || string(text) != tt.want {
			t.Errorf("%s %q: got %s, %v, want %s", tt.format, tt.text, text, err, tt.want)
		}
		var whole any
		if err := named(tt.format).Decode([]byte(tt.text), &whole); err != nil || !reflect.DeepEqual(whole, any(got)) {
			t.Errorf("%s %q: as any %v, %v", tt.format, tt.text, whole, err)
		}
	}
}

// TestDecodeRefuses checks that a text which cannot be read is an error that says where.
func TestDecodeRefuses(t *testing.T) {
	laughs := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		laughs += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 10), ","))
	}
	for _, tt := range []struct{ format, text, want string }{
		{"json", "{\"a\":1,\n \"b\":", "line 2, column 5"},
		{"json", "{\"a\":1,\n b}", "line 2, column 2"},
		{"json", "{\"a\":1}\n}", "line 2"},
		{"json", "", "empty"},
		{"json", "[1]", "array"},
		{"yaml", "a: [1, 2", "line 1"},
		{"yaml", "a: 1\n\tb: 2\n", "line 2"},
		{"yaml", "- 1\n- 2\n", "array"},
		{"yaml", laughs, "excessive aliasing"},
		{"toml", "a = 1\nb = [1, 2", "line 2"},
		{"toml", "a = 1\na = 2", "already been defined"},
		{"xml", "<a><b></a>", "line 1"},
		{"xml", "", "empty"},
		{"xml", "<a>x</a>", "text alone"},
		{"hcl", "a = {", "read HCL"},
	} {
		var got map[string]any
		if err := named(tt.format).Decode([]byte(tt.text), &got); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %.40q: %v, %v, want an error with %q", tt.format, tt.text, got, err, tt.want)
		}
	}
}

// TestErrorsTellNoSecrets checks that errors, which are logged, do not repeat what a text
// holds.
func TestErrorsTellNoSecrets(t *testing.T) {
	for format, texts := range map[string][]string{
		"toml": {"password = hunter", "password = \"hunter", "password = 2024-99-99T", "password = 99999999999999999999999999", "password = 0xhunter"},
		"yaml": {"password: *hunter", "password: !!int hunter", "password: @hunter", "? [hunter, 99999]\n: hunter", "null: hunter", "hunter", "99999"},
		"xml":  {"<a>99999&hunter</a>", "<a>hunter", "hunter"},
		"json": {`{"password":hunter}`, `"hunter"`, "99999", `{"password":"hunter"`},
		"hcl":  {"password = hunter", "hunter", "password = [hunter]", "password hunter", `password = "hunter`},
	} {
		for _, text := range texts {
			var got map[string]any
			err := named(format).Decode([]byte(text), &got)
			if err == nil {
				t.Errorf("%s %q is read as %v", format, text, got)
				continue
			}
			for _, secret := range []string{"hunter", "99999", "2024"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%s %q: %v", format, text, err)
				}
			}
		}
	}
	var port struct{ Port uint8 }
	if err := json.NewEncoder().Decode([]byte(`{"port":99999}`), &port); err == nil || strings.Contains(err.Error(), "99999") {
		t.Errorf("a number that is too large: %v", err)
	}
}

// TestDecodeNested reads 1,000 levels, and 100,000 without harm.
func TestDecodeNested(t *testing.T) {
	const levels = 1000
	for format, text := range map[string]string{
		"json": strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels),
		"yaml": strings.Repeat(`{a: `, levels) + "1" + strings.Repeat("}", levels),
		"toml": "x = " + strings.Repeat(`{a = `, levels) + "1" + strings.Repeat("}", levels),
		"xml":  strings.Repeat(`<a>`, levels) + "1" + strings.Repeat("</a>", levels),
	} {
		var got map[string]any
		if err := named(format).Decode([]byte(text), &got); err != nil || len(got) != 1 {
			t.Errorf("%s: %v", format, err)
		}
	}
	deep := strings.Repeat(`{"a":`, 100_000)
	for _, format := range []string{"json", "yaml"} {
		var got map[string]any
		if err := named(format).Decode([]byte(deep), &got); err == nil {
			t.Errorf("%s: 100,000 levels were read", format)
		}
	}
}

func TestEncode(t *testing.T) {
	in := map[string]any{"a": map[string]any{"b": "c", "l": []any{"x", "y"}}}
	for _, e := range encoders {
		text, err := e.Encode(in)
		if err != nil {
			t.Errorf("%s: %v", e, err)
			continue
		}
		var got map[string]any
		if err := e.Decode(text, &got); err != nil {
			t.Errorf("%s: %q: %v", e, text, err)
		} else if e.String() != "hcl" && !reflect.DeepEqual(got, in) {
			t.Errorf("%s: %q is read as %v", e, text, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{`{"a":1}`, "a: 1\nb: [x]", "[a]\nb = 1", "<a><b>1</b></a>", `h "a" { v = 1 }`, "a: &a [*a]", "{{{{"} {
		for i := range encoders {
			f.Add(i, []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, which int, text []byte) {
		if len(text) > 4<<10 {
			return
		}
		e := encoders[uint(which)%uint(len(encoders))]
		var m map[string]any
		if err := e.Decode(text, &m); err != nil {
			return
		}
		// What was read can be written as JSON, or is refused with a reason.
		if b, err := json.NewEncoder().Encode(m); err == nil {
			var again map[string]any
			if err := json.NewEncoder().Decode(b, &again); err != nil {
				t.Errorf("%s %q is read and written as %q, which cannot be read: %v", e, text, b, err)
			}
		}
	})
}
