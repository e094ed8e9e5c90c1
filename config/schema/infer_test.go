package schema

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"
)

type level int

func (l *level) UnmarshalText(text []byte) error { *l = level(len(text)); return nil }

type odd struct{ x any }

func (o *odd) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &o.x) }

type Base struct {
	Name string `schema:"required"`
	Port string `json:"port"` // hidden by the one of settings
}

type node struct {
	Name string           `json:"name" schema:"required"`
	Next *node            `json:"next"`
	More map[string]*node `json:"more"`
}

type settings struct {
	Base
	Port   uint16         `json:"port" schema:"required,minimum=1" description:"where it listens"`
	Mode   string         `json:"mode,omitempty" schema:"enum=fast|safe"`
	Level  level          `json:"level"`
	Weight float64        `json:"weight" schema:"exclusiveMinimum=0,maximum=1"`
	Wait   time.Duration  `json:"wait" schema:"minimum=0"`
	Since  time.Time      `json:"since"`
	Key    string         `json:"key" schema:"secret,minLength=4"`
	Zone   string         `json:"zone" schema:"pattern=^[a-z]+(,[a-z]+)*$"`
	Hosts  []netip.Addr   `json:"hosts" schema:"minItems=1,maxItems=2,uniqueItems"`
	Pair   [2]int8        `json:"pair"`
	Limits map[string]int `json:"limits"`
	Blob   []byte         `json:"blob"`
	Text   int            `json:"text,string"`
	Odd    odd            `json:"odd"`
	Any    any            `json:"any"`
	Exact  json.Number    `json:"exact"`
	Tree   *node          `json:"tree"`
	Below  struct {
		Deep bool `json:"deep"`
	} `json:"below"`
	Ignored func() `json:"-"`
	hidden  chan int
}

func (s *settings) Defaults() {
	s.Port, s.Key, s.Below.Deep, s.hidden = 8080, "changeme", true, nil
}

func TestInferredSchema(t *testing.T) {
	s, err := Of[settings]()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ document, want string }{
		{`{"Name":"n","port":1}`, ""},
		{`{"Name":"n","port":1,"unknown":1,"mode":"fast","level":"high","weight":0.5,"wait":5000,"since":"2026-01-02T03:04:05Z","key":"long","zone":"a,b",
			"hosts":["::1"],"pair":[1,2],"limits":{"a":1},"blob":"AA==","text":"5","odd":[1],"any":{},"exact":1.5,"tree":{"name":"a","next":{"name":"b"},"more":{"x":{"name":"c"}}},"below":{"deep":true}}`, ""},
		{`{}`, "Name: required: it is missing; port: required: it is missing"},
		{`{"Name":"n","port":0}`, "port: minimum: 0 is less than 1"},
		{`{"Name":"n","port":65536}`, "port: maximum: 65536 is more than 65535"},
		{`{"Name":"n","port":1,"mode":"slow"}`, `mode: enum: "slow" is none of "fast", "safe"`},
		{`{"Name":"n","port":1,"level":1}`, "level: type: it is a number, and has to be a string"},
		{`{"Name":"n","port":1,"weight":0}`, "weight: exclusiveMinimum"},
		{`{"Name":"n","port":1,"wait":"5s"}`, "wait: type"},
		{`{"Name":"n","port":1,"wait":9223372036854775808}`, "wait: maximum: 9223372036854775808 is more than 9223372036854775807"},
		{`{"Name":"n","port":1,"since":"today"}`, "since: format"},
		{`{"Name":"n","port":1,"key":"abc"}`, "key: minLength: it has 3 characters, and needs 4"},
		{`{"Name":"n","port":1,"zone":"A"}`, "zone: pattern"},
		{`{"Name":"n","port":1,"hosts":[]}`, "hosts: minItems"},
		{`{"Name":"n","port":1,"pair":[1,200]}`, "pair/1: maximum"},
		{`{"Name":"n","port":1,"limits":{"a":"b"}}`, "limits/a: type"},
		{`{"Name":"n","port":1,"text":5}`, "text: type"},
		{`{"Name":"n","port":1,"tree":{"name":"a","next":{"more":{"x":{}},"name":"b"}}}`, "tree/next/more/x/name: required"},
	} {
		err := s.Check([]byte(tt.document))
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.document, err, tt.want)
		}
		// What fits decodes, as Bind would decode it.
		var decoded settings
		if decodes := json.Unmarshal([]byte(tt.document), &decoded); err == nil && decodes != nil {
			t.Errorf("%s fits the schema and does not decode: %v", tt.document, decodes)
		}
	}
	for _, want := range []string{`"default": 8080`, `"default": true`, `"description": "where it listens"`, `"writeOnly": true`} {
		if !strings.Contains(s.String(), want) {
			t.Errorf("the schema has no %s:\n%s", want, s)
		}
	}
	if strings.Contains(s.String(), "changeme") {
		t.Error("the default of a secret is in the schema")
	}
}

func TestInferredSchemaIsTheSameEachTime(t *testing.T) {
	first, err := Of[settings]()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if next, err := Of[settings](); err != nil || next.String() != first.String() {
			t.Fatalf("%v: another schema:\n%s\nand\n%s", err, next, first)
		}
	}
}

type account struct {
	Name string
	Key  string `schema:"secret"`
	Next *account
}

type accounts struct {
	One  *account
	All  []account
	By   map[string]account
	Deep *struct {
		Key  string `schema:"secret"`
		Zone string
	}
	Port  *int `json:",string"`
	Plain []string
}

func (a *accounts) Defaults() {
	one := account{Name: "ada", Key: "changeme"}
	a.One, a.All, a.By, a.Plain = &one, []account{one}, map[string]account{"a": one}, []string{"x"}
	a.Deep = &struct {
		Key  string `schema:"secret"`
		Zone string
	}{"changeme", "eu"}
}

// TestDefaultsOfWhatHasSecrets: behind a pointer, in lists and maps, and in a type that
// refers to itself.
func TestDefaultsOfWhatHasSecrets(t *testing.T) {
	s, err := Of[accounts]()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(s.String(), "changeme") || !strings.Contains(s.String(), `"eu"`) || !strings.Contains(s.String(), `"x"`) {
		t.Errorf("got %s", s)
	}
	for _, document := range []string{`{"Port":"5"}`, `{"All":[{"Name":"a","Next":{"Name":"b"}}]}`} { // as encoding/json takes it
		if err := json.Unmarshal([]byte(document), new(accounts)); err != nil {
			t.Error(err)
		}
		if err := s.Check([]byte(document)); err != nil {
			t.Error(err)
		}
	}
}

func TestClosedSchema(t *testing.T) {
	s, err := Of[node](Closed())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check([]byte(`{"name":"a","next":{"name":"b","nxet":null}}`)); err == nil || err.Error() != "next/nxet: additionalProperties: the schema has no such field" {
		t.Error(err)
	}
}

func TestOtherTypes(t *testing.T) {
	s, err := Of[map[string][]int]()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check([]byte(`{"a":[1],"b":["x"]}`)); err == nil || !strings.HasPrefix(err.Error(), "b/0: type") {
		t.Error(err)
	}
}

func TestTypesThatHaveNoSchema(t *testing.T) {
	for want, f := range map[string]func() error{
		"field C: nothing can be decoded into the type chan int": func() error { _, err := Of[struct{ C chan int }](); return err },
		"field F: nothing can be decoded into the interface":     func() error { _, err := Of[struct{ F error }](); return err },
		"a map with keys of type bool":                           func() error { _, err := Of[map[bool]int](); return err },
		`the tag schema has "minimum=x": it is no number`: func() error {
			_, err := Of[struct {
				A int `schema:"minimum=x"`
			}]()
			return err
		},
		`the tag schema has "minLength=-1"`: func() error {
			_, err := Of[struct {
				A string `schema:"minLength=-1"`
			}]()
			return err
		},
		`the tag schema has "requierd": no such rule`: func() error {
			_, err := Of[struct {
				A int `schema:"requierd"`
			}]()
			return err
		},
		`the tag schema has "enum=a"`: func() error {
			_, err := Of[struct {
				A bool `schema:"enum=a"`
			}]()
			return err
		},
		"properties/A/pattern: format": func() error {
			_, err := Of[struct {
				A string `schema:"pattern=("`
			}]()
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "infer the schema of ") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
