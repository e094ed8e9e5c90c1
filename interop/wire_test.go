package interop_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

var update = flag.Bool("update", false, "write the golden files anew")

// mark is the one entry of a node's metadata that ours adds.
var mark = regexp.MustCompile(`,"rollcall":"[^"]*"`)

// rollcallMark is that entry where entries stand alone.
var rollcallMark = regexp.MustCompile(`"rollcall":"[^"]*"`)

// TestWire holds key and record of a service, byte by byte, to what go-micro v2
// writes for the same program: equal, apart from our mark in the node's metadata,
// and from what newer messages have inside, which v2 describes and we do not.
func TestWire(t *testing.T) {
	for _, tc := range []struct {
		name string
		spec peer.Service
	}{
		{"minimal", peer.Service{Name: "min", ID: "1", Version: "latest"}},
		{"full", peer.Service{
			Name: "go.micro.srv.服务/a", ID: "id/1", Version: "1.0 <beta> & \"more\"",
			Metadata: map[string]string{"zone": "服务", "html": "<a&b>", "empty": ""},
		}},
		{"newer", peer.Service{Name: "newer", ID: "1", Version: "latest", Newer: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.spec.Advertise = "10.1.2.3:4567"
			tc.spec.TTL, tc.spec.Interval = 10*time.Second, 3*time.Second
			got := make(map[kind]string)
			for _, k := range kinds {
				got[k] = written(t, k, tc.spec)
			}
			golden(t, tc.name+".v2", got[v2])
			golden(t, tc.name+".rollcall", mark.ReplaceAllString(got[ours], `,"rollcall":"VERSION"`))
			if n := len(mark.FindAllString(got[ours], -1)); n != 1 {
				t.Errorf("our mark is there %d times", n)
			}
			if a, b := plainly(got[v2]), plainly(mark.ReplaceAllString(got[ours], "")); a != b {
				t.Errorf("v2 writes\n%s\nours writes\n%s", a, b)
			}
		})
	}
}

// written returns what a service of kind k puts into an etcd: key, line feed,
// value, line feed.
func written(t *testing.T, k kind, spec peer.Service) string {
	t.Helper()
	etcd := testkit.StartEtcd(t)
	p := run(t, k, etcd.Addr(), "interop.writer")
	p.start(spec)
	s := storeOf(t, etcd)
	var all []*record
	testkit.Eventually(t, 10*time.Second, "the service is registered", func() bool {
		all = s.all()
		return len(all) > 0
	})
	if len(all) != 1 {
		t.Fatalf("%s writes %d records", k, len(all))
	}
	return all[0].key + "\n" + all[0].value + "\n"
}

// internals are the fields that protobuf's library has in the messages of newer
// generators: state, size and unknown fields, as v2 describes them.
var internals = regexp.MustCompile(
	`\{"name":"MessageState","type":"MessageState","values":(null|\[[^\]]*\])\},` +
		`\{"name":"int32","type":"int32","values":null\},` +
		`\{"name":"unknownFields","type":"\[\]uint8","values":null\},?`)

// plainly leaves the internals of newer messages out.
func plainly(record string) string { return internals.ReplaceAllString(record, "") }

// golden compares text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s has\n%s\ngot\n%s", file, want, text)
	}
}

// TestForeignRecords puts records into etcd that both must be able to read, or
// leave alone.
func TestForeignRecords(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	good := `{"name":"s","version":"1","metadata":{},"endpoints":[],"nodes":[{"id":"s-1","address":"10.0.0.1:1","metadata":null}],"later":{"field":1}}`
	s.put("s", "s-1", good)
	s.put("s", "s-2", "garbage")
	for _, k := range kinds {
		p := run(t, k, etcd.Addr(), "interop.reader")
		var text json.RawMessage
		p.do(peer.OpGet, peer.Name{Name: "s"}, &text)
		want := `[{"name":"s","version":"1","metadata":{},"endpoints":[],"nodes":[{"id":"s-1","address":"10.0.0.1:1","metadata":null}]}]`
		if string(text) != want {
			t.Errorf("%s reads %s, want %s", k, text, want)
		}
	}
}
