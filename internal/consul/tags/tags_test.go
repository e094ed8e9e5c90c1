package tags

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/deflated"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func sample() *registry.Service {
	return &registry.Service{
		Name: "go.micro.srv.c", Version: "1.0.0",
		Endpoints: []*registry.Endpoint{{Name: "Greeter.Hello", Request: &registry.Value{Name: "Req", Type: "Req"}, Metadata: map[string]string{}}},
		Nodes:     []*registry.Node{{Id: "go.micro.srv.c-1", Address: "127.0.0.1:8080", Metadata: map[string]string{"zone": "a", "server": "grpc"}}},
	}
}

// The tags that go-micro v2.9.1's plugin wrote of sample.
const (
	v2Zone    = "t-789caa56aacacf4b55b2524a54aa05040000ffff1a7e03d8"
	v2Version = "v-789c32d433d03300040000ffff02ce00ee"
)

func TestAsV2(t *testing.T) {
	s := sample()
	got, err := Encode(s, s.Nodes[0], "go.micro.srv.c-1")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || got[1] != v2Zone || got[3] != v2Version {
		t.Errorf("got %q", got)
	}
	r, err := Decode([]string{v2Version, v2Zone, "someone's", "t", "v", "e", "", "-"})
	if err != nil || r.Version != "1.0.0" || r.Node["zone"] != "a" || r.Skipped != 0 || r.NodeID != "" {
		t.Errorf("read %+v, %v", r, err)
	}
}

func TestThereAndBack(t *testing.T) {
	s := sample()
	s.Version = "2 β"
	s.Metadata = map[string]string{"team": "a", "服": "务"}
	s.Nodes[0].Metadata = map[string]string{"": "", "a": "\"b\"", "服": "务"}
	s.Endpoints = append(s.Endpoints, nil, &registry.Endpoint{Name: "Second", Metadata: map[string]string{"stream": "true"}})
	for _, id := range []string{s.Nodes[0].Id, "another"} {
		all, err := Encode(s, s.Nodes[0], id)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Decode(all)
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if id != s.Nodes[0].Id {
			want = s.Nodes[0].Id
		}
		if r.Version != s.Version || !reflect.DeepEqual(r.Metadata, s.Metadata) || !reflect.DeepEqual(r.Node, s.Nodes[0].Metadata) || len(r.Endpoints) != 2 || r.NodeID != want || r.Skipped != 0 {
			t.Errorf("as %q: read %+v", id, r)
		}
	}
}

func TestOldForm(t *testing.T) {
	for _, tc := range []struct {
		tags                   []string
		version, zone          string
		endpoints, wantSkipped int
	}{
		{[]string{`t={"zone":"b"}`, `e={"name":"A"}`, "v=1"}, "1", "b", 1, 0},
		{[]string{`t={"zone":"b"}`, v2Zone, "v=1", v2Version}, "1", "b", 0, 0}, // the first form counts
		{[]string{v2Zone, `t={"zone":"b"}`, v2Version, "v=1"}, "1.0.0", "a", 0, 0},
		{[]string{"t=nonsense", `t={"zone":"b"}`, "e=null", "e=[1]"}, "", "b", 0, 3},
		{[]string{"s={}", "i=x", "x=1", "v=1", "v=2"}, "1", "", 0, 0},
	} {
		r, err := Decode(tc.tags)
		if err != nil || r.Version != tc.version || r.Node["zone"] != tc.zone || len(r.Endpoints) != tc.endpoints || r.Skipped != tc.wantSkipped {
			t.Errorf("%q: %+v, %v", tc.tags, r, err)
		}
	}
}

// TestGarbage shows that what cannot be read is counted and does its neighbours no harm.
func TestGarbage(t *testing.T) {
	bad := []string{"t-", "t-xyz", "t-00", "e-" + deflated.Pack([]byte("{")), "e-" + deflated.Pack([]byte(`{"name":7}`)), "s-" + deflated.Pack([]byte("[]")), "t-" + v2Zone[2:20], "v-zz"}
	r, err := Decode(append(slices.Clone(bad), v2Zone, v2Version))
	if err != nil || r.Skipped != len(bad) || r.Node["zone"] != "a" || r.Version != "1.0.0" {
		t.Errorf("%+v, %v; want %d skipped", r, err, len(bad))
	}
}

// TestBombs shows that small tags do not become much, alone or together.
func TestBombs(t *testing.T) {
	half := fmt.Sprintf(`{"a":%q}`, strings.Repeat("x", MaxRecord/2))
	for name, tags := range map[string][]string{
		"one":              {"t-" + deflated.Pack([]byte(fmt.Sprintf(`{"a":%q}`, strings.Repeat("x", 2*MaxRecord))))},
		"several":          {"t-" + deflated.Pack([]byte(half)), "e-" + deflated.Pack([]byte(half))},
		"plain":            {"t=" + half, "v=" + half},
		"many elements":    {"e-" + deflated.Pack([]byte(`{"request":{"values":[`+strings.Repeat("{},", 200_000)+`{}]}}`))},
		"deep":             {"e-" + deflated.Pack([]byte(strings.Repeat(`{"request":`, 200)))},
		"behind good ones": {v2Zone, "v-" + deflated.Pack(make([]byte, 2*MaxRecord))},
	} {
		if r, err := Decode(tags); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %d bytes of version, %v", name, len(r.Version), err)
		}
	}
	s := sample()
	s.Nodes[0].Metadata["a"] = strings.Repeat("x", MaxRecord)
	if _, err := Encode(s, s.Nodes[0], "id"); err == nil || !strings.Contains(err.Error(), "shorten") {
		t.Errorf("written: %v", err)
	}
}

// FuzzDecode feeds it tags in both forms: what is read can be written and read again.
func FuzzDecode(f *testing.F) {
	f.Add(v2Zone + "\n" + v2Version)
	f.Add("t=\nv=1\ne={}")
	f.Add(`t={"a":"b"}` + "\n" + `e={"name":"A","request":{"values":[null,{}]}}`)
	f.Add("i-00\ns=\ns-" + deflated.Pack([]byte(`{"team":"a"}`)))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Decode(strings.Split(text, "\n"))
		if err != nil {
			return
		}
		s := &registry.Service{Version: r.Version, Metadata: r.Metadata, Endpoints: r.Endpoints}
		n := &registry.Node{Id: r.NodeID, Metadata: r.Node}
		again, err := Encode(s, n, "")
		if err != nil {
			return // JSON may write it longer than it came
		}
		back, err := Decode(again)
		if err != nil {
			return
		}
		was, _ := json.Marshal([]any{r.Version, r.Node, r.Endpoints, len(r.Metadata)})
		is, _ := json.Marshal([]any{back.Version, back.Node, back.Endpoints, len(back.Metadata)})
		if string(was) != string(is) {
			t.Fatalf("%s became %s", was, is)
		}
	})
}
