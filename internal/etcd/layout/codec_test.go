package layout

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// The files in testdata hold a key and, on the next line, the value, as a
// go-micro v2.9.1 service left them in etcd.
func golden(t *testing.T, name string) (key string, value []byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	k, v, ok := strings.Cut(strings.TrimSuffix(string(b), "\n"), "\n")
	if !ok {
		t.Fatalf("%s has no second line", name)
	}
	return k, []byte(v)
}

func TestEncodeIsByteForByteV2s(t *testing.T) {
	for _, name := range []string{"service.golden", "broker.golden"} {
		key, value := golden(t, name)
		s, err := Layout{}.Decode(key, value)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := (Layout{}).Node(s.Name, s.Nodes[0].Id); got != key {
			t.Errorf("%s: key is %q, want %q", name, got, key)
		}
		s.Nodes = append(s.Nodes, &registry.Node{Id: "another"})
		got, err := Encode(s, s.Nodes[0])
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(value) {
			t.Errorf("%s: value is\n%s\nwant\n%s", name, got, value)
		}
		if len(s.Nodes) != 2 {
			t.Errorf("%s: encoding changed the service", name)
		}
	}
}

func TestEncodeByHand(t *testing.T) {
	s := &registry.Service{
		Name: "a<b>&", Version: "1", Metadata: map[string]string{},
		Nodes: []*registry.Node{{Id: "n", Address: "h:1", Metadata: map[string]string{"b": "服务", "a": "\u2028"}}},
	}
	got, err := Encode(s, s.Nodes[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"a\u003cb\u003e\u0026","version":"1","metadata":{},"endpoints":null,"nodes":[{"id":"n","address":"h:1","metadata":{"a":"\u2028","b":"服务"}}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	const key = "/micro/registry/s/n"
	for name, value := range map[string]string{
		"nothing":           ``,
		"no JSON":           `hello`,
		"truncated":         `{"name":"s","version":"1","nodes":[{"id":"n"`,
		"more than JSON":    `{"name":"s","nodes":[{"id":"n"}]} x`,
		"null":              `null`,
		"a list":            `[1]`,
		"a mistyped name":   `{"name":1,"nodes":[{"id":"n"}]}`,
		"mistyped nodes":    `{"name":"s","nodes":{"id":"n"}}`,
		"mistyped metadata": `{"name":"s","nodes":[{"id":"n","metadata":["a"]}]}`,
		"no node":           `{"name":"s"}`,
		"empty nodes":       `{"name":"s","nodes":[]}`,
		"a null node":       `{"name":"s","nodes":[null]}`,
		"another service":   `{"name":"t","nodes":[{"id":"n"}]}`,
		"another node":      `{"name":"s","nodes":[{"id":"m"}]}`,
		"a megabyte":        strings.Repeat("x", 1<<20),
		"a control version": `{"name":"s","version":"1\u001b[2J","nodes":[{"id":"n"}]}`,
		"a deep request":    `{"name":"s","nodes":[{"id":"n"}],"endpoints":[{"name":"E","request":` + nested(33) + `}]}`,
		"a deep response":   `{"name":"s","nodes":[{"id":"n"}],"endpoints":[null,{"name":"E","response":` + nested(4900) + `}]}`,
	} {
		s, err := Layout{}.Decode(key, []byte(value))
		if err == nil {
			t.Errorf("%s was taken for %+v", name, s)
			continue
		}
		if !strings.Contains(err.Error(), key) {
			t.Errorf("%s: the error %q does not name the key", name, err)
		}
	}
}

// nested returns a value of the given number of levels.
func nested(levels int) string {
	return strings.Repeat(`{"values":[`, levels-1) + `{"name":"leaf"}` + strings.Repeat(`]}`, levels-1)
}

func TestDecodeRefusesNames(t *testing.T) {
	for _, bad := range []string{"x\r", "a\nb", "\x1b]0;pwned\a", "a\u202eb", " a", "a "} {
		for _, s := range []*registry.Service{
			{Name: bad, Nodes: []*registry.Node{{Id: "n"}}},
			{Name: "s", Nodes: []*registry.Node{{Id: bad}}},
		} {
			value, err := Encode(s, s.Nodes[0])
			if err != nil {
				t.Fatal(err)
			}
			if got, err := (Layout{}).Decode(Layout{}.Node(s.Name, s.Nodes[0].Id), value); err == nil {
				t.Errorf("%q was taken for %+v", value, got)
			}
		}
	}
}

func TestDecodeAcceptsWhatIsDeepEnough(t *testing.T) {
	if _, err := (Layout{}).Decode("/micro/registry/s/n", []byte(`{"name":"s","nodes":[{"id":"n"}],"endpoints":[{"name":"E","request":`+nested(32)+`}]}`)); err != nil {
		t.Error(err)
	}
}

func TestLeaving(t *testing.T) {
	for _, name := range []string{"service.golden", "broker.golden"} {
		key, value := golden(t, name)
		marked := MarkLeaving(value)
		if s, err := (Layout{}).Decode(key, marked); !errors.Is(err, ErrLeaving) || !strings.Contains(err.Error(), key) {
			t.Errorf("a record that says that it leaves was read as %+v (%v)", s, err)
		}
		// Whoever does not know the mark reads the record as it was.
		var before, after registry.Service
		if json.Unmarshal(value, &before) != nil || json.Unmarshal(marked, &after) != nil || !reflect.DeepEqual(before, after) {
			t.Errorf("without knowing the mark\n%s\nreads otherwise than\n%s", marked, value)
		}
		if _, err := (Layout{}).Decode(key, value); err != nil {
			t.Errorf("the value itself was changed: %v", err)
		}
	}
}

func TestDecodeAcceptsNilAndEmpty(t *testing.T) {
	s, err := Layout{}.Decode("/micro/registry/a-b/x-y", []byte(`{"name":"a/b","endpoints":[null,{"name":"E"}],"nodes":[null,{"id":"x/y"},{"id":"other"}],"future":1}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &registry.Service{Name: "a/b", Endpoints: []*registry.Endpoint{{Name: "E"}}, Nodes: []*registry.Node{{Id: "x/y"}}}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got %+v, want %+v", s, want)
	}
}

func TestKeys(t *testing.T) {
	for _, tc := range []struct{ service, node, want string }{
		{"a/b", "x/y", "/micro/registry/a-b/x-y"},
		{"a//b", "/lead/", "/micro/registry/a--b/-lead-"},
		{"服务 一", "id 1", "/micro/registry/服务 一/id 1"},
	} {
		if got := (Layout{}).Node(tc.service, tc.node); got != tc.want {
			t.Errorf("Key(%q, %q) = %q, want %q", tc.service, tc.node, got, tc.want)
		}
	}
	if got, want := (Layout{}).Service("a/b"), "/micro/registry/a-b/"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (Layout{}).Pause("a/b", "x/y"), "/micro/rollcall/pause/a-b/x-y"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
