package gray

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func text(s string) *string { return &s }

func percent(n int) *int { return &n }

func TestARecordIsWrittenAsEver(t *testing.T) {
	r := Record{
		Who: "ada@desk", When: time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC), Comment: "try it",
		Match:  Match{Services: []string{"shop"}, Metadata: map[string]string{"zone": "a"}, Percent: percent(30)},
		Values: map[string]*string{"db/port": text("3307"), "old": nil}, Base: map[string]string{"db/port": "3306"},
	}
	const want = `{"who":"ada@desk","when":"2026-11-27T03:00:00Z","comment":"try it",` +
		`"match":{"services":["shop"],"metadata":{"zone":"a"},"percent":30},"values":{"db/port":"3307","old":null},"base":{"db/port":"3306"}}`
	got, err := r.Encode()
	if err != nil || got != want {
		t.Errorf("%v: wrote\n%s\nwant\n%s", err, got, want)
	}
	back, err := Decode([]byte(want))
	if err != nil || !back.Same(r) || back.Who != r.Who || !back.When.Equal(r.When) || back.Base["db/port"] != "3306" {
		t.Errorf("%v: read %+v", err, back)
	}
	for name, change := range map[string]func(*Record){
		"percent": func(r *Record) { r.Match.Percent = percent(31) },
		"nodes":   func(r *Record) { r.Match.Nodes = []string{"n"} },
		"values":  func(r *Record) { r.Values = map[string]*string{"db/port": text("3307"), "old": text("1")} },
	} {
		if other := r; true {
			if change(&other); other.Same(r) {
				t.Errorf("another one in its %s is the same", name)
			}
		}
	}
}

func TestRecordsThatAreNone(t *testing.T) {
	for record, want := range map[string]string{
		``:                                     "empty",
		`hello`:                                "line 1, column 1",
		`{"match":{"percent":10},"values":{}`:  "cut short",
		`null`:                                 "no condition",
		`{}`:                                   "no condition",
		`[]`:                                   "array",
		`{"values":{"a":"1"}}`:                 "no condition",
		`{"match":null,"values":{"a":"1"}}`:    "no condition",
		`{"match":{},"values":{"a":"1"}}`:      "no condition",
		`{"match":{"percent":10}}`:             "no values",
		`{"match":{"percent":10},"values":{}}`: "no values",
		`{"match":{"percent":10},"values":{"":"1"}}`:                         "there can be none",
		`{"match":{"percent":10},"values":{"a":7}}`:                          "number",
		`{"match":{"percent":10},"values":["hunter2"]}`:                      "array",
		`{"match":{"percent":-1},"values":{"a":"1"}}`:                        "-1 percent: give 0 to 100",
		`{"match":{"percent":101},"values":{"a":"1"}}`:                       "101 percent: give 0 to 100",
		`{"match":{"percent":1.5},"values":{"a":"1"}}`:                       `"percent" cannot be a number`,
		`{"match":{"percent":1e99},"values":{"a":"1"}}`:                      `"percent" cannot be a number`,
		`{"match":{"percent":"all"},"values":{"a":"1"}}`:                     `"percent" cannot be a string`,
		`{"match":{"nodes":[]},"values":{"a":"1"}}`:                          `"nodes" of its match is empty`,
		`{"match":{"hosts":[""]},"values":{"a":"1"}}`:                        `"hosts" of its match is empty`,
		`{"match":{"metadata":{}},"values":{"a":"1"}}`:                       `"metadata" of its match is empty`,
		`{"match":{"zone":"a","percent":10},"values":{"a":"1"}}`:             `not known to this version`,
		`{"match":["a"],"values":{"a":"1"}}`:                                 "cannot be a array",
		`{"match":` + strings.Repeat("[", 20_000) + `,"values":{"a":"1"}}`:   "depth",
		`{"match":{"percent":10},"values":{"a":"1"}} and more`:               "follows the end",
		`{"match":{"percent":10},"values":{"a":"hunter2","b":["hunter2"]}}`:  "array",
		`{"match":{"percent":10},"values":{"a":"hunter2"},"when":"hunter2"}`: "read a gray",
	} {
		r, err := Decode([]byte(record))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: got %+v, %v, want %q", record, r, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || len(err.Error()) > 300) {
			t.Errorf("%.80s: the error tells too much: %v", record, err)
		}
	}
	if _, err := Decode([]byte(`{"later":{"x":1},"match":{"percent":10},"values":{"a":"1"}}`)); err != nil {
		t.Errorf("a field of a later version: %v", err)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"a", "new-port_2.1", strings.Repeat("x", MaxName)} {
		if err := CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", ".", "..", "a/b", "a b", "\x1b[2J", "ü", "a\n", strings.Repeat("x", MaxName+1)} {
		if err := CheckName(name); err == nil || strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestWhoIsMeant(t *testing.T) {
	shop := source.Instance{Service: "shop", Node: "shop-1", Host: "h1", Version: "1.2", Environment: "prod", Metadata: map[string]string{"zone": "a", "empty": ""}}
	for _, tt := range []struct {
		match Match
		holds bool
		says  string
	}{
		{Match{Services: []string{"shop"}}, true, "service shop"},
		{Match{Services: []string{"till", "shop"}}, true, "service till or shop"},
		{Match{Services: []string{"sho"}}, false, "service sho"},
		{Match{Nodes: []string{"shop-1"}}, true, "node shop-1"},
		{Match{Nodes: []string{"shop-2"}}, false, "node shop-2"},
		{Match{Hosts: []string{"h1"}, Versions: []string{"1.2"}, Environments: []string{"prod"}}, true, "environment prod, host h1, version 1.2"},
		{Match{Hosts: []string{"h1"}, Versions: []string{"1.3"}}, false, "host h1, version 1.3"},
		{Match{Metadata: map[string]string{"zone": "a"}}, true, "zone=a"},
		{Match{Metadata: map[string]string{"zone": "a", "rack": "1"}}, false, "rack=1, zone=a"},
		{Match{Metadata: map[string]string{"empty": ""}}, true, "empty="},
		{Match{Metadata: map[string]string{"none": ""}}, false, "none="},
		{Match{Percent: percent(100)}, true, "100%"},
		{Match{Percent: percent(0)}, false, "0%"},
		{Match{Services: []string{"shop"}, Percent: percent(0)}, false, "0% of service shop"},
		{Match{Services: []string{"till"}, Percent: percent(100)}, false, "100% of service till"},
	} {
		if got := tt.match.Holds("g", shop); got != tt.holds {
			t.Errorf("%v: %v", tt.match, got)
		}
		if err := tt.match.Check(); err != nil || tt.match.String() != tt.says {
			t.Errorf("%v, %v; want %s", tt.match, err, tt.says)
		}
	}
	var nobody source.Instance
	for _, m := range []Match{{Services: []string{"shop"}}, {Nodes: []string{""}}, {Percent: percent(99)}, {Metadata: map[string]string{"a": ""}}} {
		if m.Holds("g", nobody) {
			t.Errorf("%v holds for somebody of whom nothing is known", m)
		}
	}
	if !(Match{Percent: percent(100)}).Holds("g", nobody) {
		t.Error("all are not all")
	}
}

// TestShareOfNodes looks at 2,000 nodes: the share that is meant is the percentage
// within five standard deviations, it only grows, and another name means other nodes.
func TestShareOfNodes(t *testing.T) {
	const nodes = 2_000
	for _, name := range []string{"a", "new-port", "new-port2"} {
		before := make(map[string]bool)
		for p := 0; p <= 100; p += 4 {
			m, meant := Match{Percent: percent(p)}, 0
			for i := range nodes {
				id := fmt.Sprintf("shop-%d", i)
				holds := m.Holds(name, source.Instance{Node: id})
				if before[id] && !holds {
					t.Fatalf("%s: %s is meant no more at %d percent", name, id, p)
				}
				if before[id] = holds; holds {
					meant++
				}
			}
			share := float64(p) / 100
			want, bound := nodes*share, 5*math.Sqrt(nodes*share*(1-share))
			if off := math.Abs(float64(meant) - want); off > bound {
				t.Errorf("%s: %d of %d are meant by %d percent, and %.0f more or less would be by chance", name, meant, nodes, p, bound)
			}
		}
	}
	both := 0
	for i := range nodes {
		id := fmt.Sprint(i)
		if Share("a", id) < 30 && Share("b", id) < 30 {
			both++
		}
	}
	if math.Abs(float64(both)-0.09*nodes) > 5*math.Sqrt(nodes*0.09*0.91) {
		t.Errorf("%d nodes of %d are meant by both of two", both, nodes)
	}
}

// The rule is part of the format: other programs may want to know who is meant.
func TestShareIsAsEver(t *testing.T) {
	for node, want := range map[string]string{"shop-1": "74.857933", "shop-2": "20.202247", "": "40.856338"} {
		got := fmt.Sprintf("%.6f", Share("new-port", node))
		if got != want {
			t.Errorf("%q: %s, want %s", node, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{``, `{}`, `{"match":{"percent":30,"nodes":["n"]},"values":{"a":"1","b":null}}`, `{"match":{"metadata":{"a":"b"}},"values":{"\u0000":"{"},"base":{"a":"-1"}}`, `{"match":{"Percent":1e2},"values":{"a":"1"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Decode(b)
		if err != nil {
			return
		}
		text, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode([]byte(text))
		if err != nil || !back.Same(r) {
			t.Fatalf("%s is read as %+v, written as %s and read as %+v, %v", b, r, text, back, err)
		}
		_ = r.Match.Holds("g", source.Instance{Node: "n"})
		_ = r.Match.String()
	})
}
