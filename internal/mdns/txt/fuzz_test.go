package txt

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// FuzzDecode: whatever stands in a record, what is read of it is written and read
// again the same, and an error is one short line.
func FuzzDecode(f *testing.F) {
	golden, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(golden) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range golden {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, json := range []string{`null`, `{}`, `[]`, `{"Service":"s","Endpoints":[null,{"Name":"E","Request":{"values":[null]}}]}`, `{"service":"s","VERSION":"1"}`} {
		f.Add(strings.Join(packed(f, json), "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Decode(strings.Split(text, "\n"))
		if err != nil {
			if len(err.Error()) > 300 || strings.ContainsRune(err.Error(), '\n') {
				t.Fatalf("an error that quotes the text: %v", err)
			}
			return
		}
		thereAndBack(t, r)
	})
}

// FuzzJSON reaches what lies behind the compression.
func FuzzJSON(f *testing.F) {
	for _, json := range []string{
		`{"Service":"s","Version":"1","Endpoints":null,"Metadata":null}`, `{"Metadata":{"a":"\u0000","a":"b"}}`, `{"Endpoints":[null,{}]}`,
		`{"Endpoints":[{"name":"E","request":{"name":"r","type":"t","values":[{},null]},"response":null,"metadata":{}}]}`, `{"Service":"\ud800"}`, `{"Service":[[[[`, ``,
	} {
		f.Add(json)
	}
	f.Fuzz(func(t *testing.T, json string) {
		if r, err := Decode(packed(t, json)); err == nil {
			thereAndBack(t, r)
		}
	})
}

func thereAndBack(t *testing.T, r Record) {
	t.Helper()
	if w := r.Weight(); w < 0 || w > 32<<20 {
		t.Fatalf("a record weighs %d", w)
	}
	for _, r := range []Record{r, r.WithoutSchemas(), r.WithoutEndpoints()} {
		text, err := Encode(r)
		if err != nil {
			// Written out in full, a short text can be too long.
			if !strings.Contains(err.Error(), "at most") {
				t.Fatal(err)
			}
			continue
		}
		if again, err := Decode(text); err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("written and read again: %+v, %v, want %+v", again, err, r)
		}
	}
}

// FuzzName: a name that is made is legal, and gives the id back.
func FuzzName(f *testing.F) {
	f.Add("n.with.dots", "go.micro.service", "micro")
	f.Add("服务 1", "s", "a.b")
	f.Add("", "..", ".")
	f.Fuzz(func(t *testing.T, id, service, domain string) {
		name, err := Instance(id, service, domain)
		if err != nil {
			return
		}
		if got, ok := NodeID(name, service, domain); !ok || got != id {
			t.Fatalf("%q of %q in %q is named %q and read as %q, %v", id, service, domain, name, got, ok)
		}
		if len(name)+1 > maxName || !strings.HasSuffix(name, ".") {
			t.Fatalf("%q is no legal name", name)
		}
	})
}
