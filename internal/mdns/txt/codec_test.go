package txt

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

// greeter is what a service of v2 says about its node.
var greeter = Record{
	Service: "go.micro.service.greeter", Version: "2020.05.01",
	Endpoints: []*registry.Endpoint{hello("0"), hello("1"), hello("2"), {
		Name: "Sub", Request: &registry.Value{Name: "Event", Type: "Event"},
		Metadata: map[string]string{"subscriber": "true", "topic": "go.micro.topic"},
	}},
	Metadata: map[string]string{
		"broker": "http", "protocol": "grpc", "registry": "mdns", "server": "grpc", "transport": "grpc", "zone": `服务 <b>&"x"`,
	},
}

func hello(number string) *registry.Endpoint {
	return &registry.Endpoint{
		Name: "Greeter.Hello" + number,
		Request: &registry.Value{Name: "Request", Type: "Request", Values: []*registry.Value{
			{Name: "name", Type: "string"}, {Name: "times", Type: "int64"},
		}},
		Response: &registry.Value{Name: "Response", Type: "Response", Values: []*registry.Value{{Name: "msg", Type: "string"}}},
		Metadata: map[string]string{"stream": "true"},
	}
}

// The golden files are what go-micro v2.9.1 sent, one string a line.
func TestDecodeReadsWhatV2Wrote(t *testing.T) {
	for name, want := range map[string]Record{
		"small":   {Service: "s", Version: "1"},
		"six":     {Service: "six", Version: "latest", Endpoints: []*registry.Endpoint{}, Metadata: map[string]string{}},
		"greeter": greeter,
	} {
		text, err := os.ReadFile(filepath.Join("testdata", name+".golden"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(strings.Fields(string(text)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
	}
}

// Compressed bytes may differ from one release of Go to another; what they stand for
// is v2's to the byte.
func TestEncodeWritesV2sJSON(t *testing.T) {
	text, err := Encode(Record{Service: "s", Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"Service":"s","Version":"1","Endpoints":null,"Metadata":null}`
	if got := inflated(t, text); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEncodeCutsStrings(t *testing.T) {
	text, err := Encode(greeter)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range text {
		if last := i == len(text)-1; len(s) > stringBytes || !last && len(s) < stringBytes || s == "" {
			t.Errorf("string %d of %d has %d bytes", i+1, len(text), len(s))
		}
		if strings.Trim(s, "0123456789abcdef") != "" {
			t.Errorf("%q is not all lower-case digits", s)
		}
	}
	if got, err := Decode(text); err != nil || !reflect.DeepEqual(got, greeter) {
		t.Errorf("read again: %+v, %v", got, err)
	}
}

func TestLessOfARecord(t *testing.T) {
	bare := greeter.WithoutSchemas()
	if bare.Endpoints[0].Request != nil || bare.Endpoints[0].Response != nil || bare.Endpoints[3].Metadata["topic"] != "go.micro.topic" {
		t.Errorf("without schemas: %+v", bare.Endpoints)
	}
	if greeter.Endpoints[0].Request == nil {
		t.Error("the record itself was changed")
	}
	if got := (Record{}).WithoutSchemas(); got.Endpoints != nil {
		t.Errorf("nil endpoints became %+v", got.Endpoints)
	}
	if none := greeter.WithoutEndpoints(); none.Endpoints != nil || greeter.Endpoints == nil {
		t.Error("without endpoints: still there, or gone from the record itself")
	}
	var sizes []int
	for _, r := range []Record{greeter, bare, greeter.WithoutEndpoints()} {
		text, err := Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(text); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("read again: %+v, %v, want %+v", got, err, r)
		}
		sizes = append(sizes, Size(text))
	}
	if sizes[1] >= sizes[0] || sizes[2] >= sizes[1] {
		t.Errorf("sizes are %v, want each less than the one before", sizes)
	}
}

func TestDecodeRefusesGarbage(t *testing.T) {
	bomb := func(json string) []string { return packed(t, json) }
	for name, tc := range map[string]struct {
		text []string
		want string
	}{
		"nothing":            {nil, "inflate"},
		"one empty string":   {[]string{""}, "inflate"},
		"no digits":          {[]string{"hello"}, "hexadecimal"},
		"an odd digit":       {[]string{"789"}, "hexadecimal"},
		"no zlib":            {[]string{"00112233"}, "inflate"},
		"half of it":         {[]string{packed(t, `{"Service":"s"}`)[0][:20]}, "inflate"},
		"a wrong sum":        {[]string{packed(t, `{"Service":"s"}`)[0][:len(packed(t, `{"Service":"s"}`)[0])-2] + "00"}, "inflate"},
		"no JSON":            {bomb("hello"), "at byte"},
		"null":               {bomb("null"), "null"},
		"a list":             {bomb("[]"), "another type"},
		"another type":       {bomb(`{"Service":1}`), "another type"},
		"two of them":        {bomb(`{}{}`), "at byte"},
		"a bomb of blanks":   {bomb(strings.Repeat(" ", 20*MaxJSON)), "inflates to more than"},
		"too deep":           {bomb(strings.Repeat("[", 100_000)), "nested deeper"},
		"too many endpoints": {bomb(`{"Endpoints":[` + strings.Repeat("{},", 100_000) + `{}]}`), "more than 100000 elements"},
		"too many strings":   {[]string{strings.Repeat("0", MaxText)}, "at most"},
	} {
		_, err := Decode(tc.text)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, tc.want)
		}
		if err != nil && (len(err.Error()) > 300 || strings.Contains(err.Error(), "hello")) {
			t.Errorf("%s: the error quotes the text: %v", name, err)
		}
	}
}

// A quote or a bracket inside a string counts as text.
func TestShapeKnowsStrings(t *testing.T) {
	r := Record{Service: strings.Repeat("[", 200), Version: `\"` + strings.Repeat("{,", 100_000)}
	text, err := Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Decode(text); err != nil || got.Service != r.Service || got.Version != r.Version {
		t.Errorf("read again: %v", err)
	}
}

func TestEncodeRefusesWhatNobodyReads(t *testing.T) {
	deep := &registry.Value{}
	for range 80 {
		deep = &registry.Value{Values: []*registry.Value{deep}}
	}
	noise := make([]byte, MaxText)
	state := uint32(1)
	for i := range noise {
		state = state*1664525 + 1013904223
		noise[i] = 'a' + byte(state>>24)%26
	}
	for name, tc := range map[string]struct {
		r    Record
		want string
	}{
		"long JSON": {Record{Service: "s", Version: strings.Repeat("v", MaxJSON)}, "at most 1048576"},
		"long text": {Record{Service: "s", Version: string(noise)}, "at most 65535"},
		"deep":      {Record{Service: "s", Endpoints: []*registry.Endpoint{{Request: deep}}}, "nested deeper"},
	} {
		if _, err := Encode(tc.r); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), `"s"`) {
			t.Errorf("%s: got error %v, want one that names the service and says %q", name, err, tc.want)
		}
	}
}

func TestWeight(t *testing.T) {
	if small, large := (Record{Service: "s"}).Weight(), greeter.Weight(); small < 1 || large < 1000 || large > 10_000 {
		t.Errorf("weights are %d and %d", small, large)
	}
}

// packed compresses JSON as a text.
func packed(t testing.TB, json string) []string {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write([]byte(json)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return cut(hex.EncodeToString(b.Bytes()))
}

// inflated returns the JSON in a text.
func inflated(t *testing.T, text []string) string {
	t.Helper()
	raw, err := hex.DecodeString(strings.Join(text, ""))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
