package rpc_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
)

type Deep struct{ Inner Inner }
type Inner struct{ Innermost Innermost }
type Innermost struct{ Word string }

type Shape struct {
	Name    string
	Age     int `json:"age"`
	Skipped int `json:"-"`
	Kept    int `json:",omitempty"`
	small   bool
	Tags    []string
	Limits  map[string]int `json:"limits"`
	Bag     map[string]int
	Places  []*Inner `json:"places,omitempty"`
	Deep    *Deep    `json:"deep"`
}

type Shaped struct{}

func (Shaped) Plain(context.Context, *Shape, *Answer) error                               { return nil }
func (Shaped) Legacy(context.Context, *legacypb.HelloRequest, *legacypb.HelloReply) error { return nil }
func (Shaped) Now(context.Context, *currentpb.SayRequest, *currentpb.SayReply) error      { return nil }

// The expected descriptions are those that v2 registers for the same types, those
// of Now apart, where v2 adds the internals of the messages.
func TestDescribe(t *testing.T) {
	_ = Shape{small: true}.small
	want := map[string]string{
		"Shaped.Plain": `{"name":"Shape","type":"Shape","values":[` +
			`{"name":"string","type":"string","values":null},` +
			`{"name":"age","type":"int","values":null},` +
			`{"name":"Kept","type":"int","values":null},` +
			`{"name":"bool","type":"bool","values":null},` +
			`{"name":"Tags","type":"[]string","values":null},` +
			`{"name":"limits","type":"","values":null},` +
			`{"name":"Bag","type":"","values":null},` +
			`{"name":"places","type":"[]Inner","values":null},` +
			`{"name":"deep","type":"Deep","values":[{"name":"Inner","type":"Inner","values":null}]}]}`,
		"Shaped.Legacy": `{"name":"HelloRequest","type":"HelloRequest","values":[` +
			`{"name":"name","type":"string","values":null},` +
			`{"name":"times","type":"int64","values":null},` +
			`{"name":"mood","type":"Mood","values":null},` +
			`{"name":"labels","type":"","values":null},` +
			`{"name":"places","type":"[]Place","values":null},` +
			`{"name":"isHelloRequest_Who","type":"isHelloRequest_Who","values":null}]}`,
		"Shaped.Now": `{"name":"SayRequest","type":"SayRequest","values":[` +
			`{"name":"text","type":"string","values":null},` +
			`{"name":"number_of_times","type":"int64","values":null},` +
			`{"name":"isSayRequest_Where","type":"isSayRequest_Where","values":null}]}`,
	}
	for _, m := range newHandler(t, Shaped{}).Methods {
		got, err := json.Marshal(m.Describe(nil).Request)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want[m.Endpoint] {
			t.Errorf("%s:\n got %s\nwant %s", m.Endpoint, got, want[m.Endpoint])
		}
	}
}

func TestDescribeMetadata(t *testing.T) {
	for _, m := range newHandler(t, &Mixed{}).Methods {
		e := m.Describe(map[string]string{"path": "/x"})
		if e.Metadata["path"] != "/x" {
			t.Errorf("%s: metadata is %v", e.Name, e.Metadata)
		}
		if got := e.Metadata["stream"]; (got == "true") != m.Stream {
			t.Errorf("%s: stream is %q", e.Name, got)
		}
		if m.Stream && (e.Request.Name != "Context" || e.Response.Name != "Stream") {
			t.Errorf("%s takes %v and %v", e.Name, e.Request, e.Response)
		}
		if again := m.Describe(nil); len(again.Metadata) == 0 != !m.Stream {
			t.Errorf("%s keeps the metadata of another description: %v", e.Name, again.Metadata)
		}
	}
}
