package rpc_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	oldproto "github.com/golang/protobuf/proto" //lint:ignore SA1019 what v2 marshals with
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
)

func find(t *testing.T, cs rpc.Codecs, contentType string) *rpc.Codec {
	t.Helper()
	c, err := cs.Find(contentType)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func encode(t *testing.T, c *rpc.Codec, v any) string {
	t.Helper()
	data, err := c.Marshal(v)
	if err != nil {
		t.Fatalf("marshal %T by %s: %v", v, c.Name(), err)
	}
	defer data.Free()
	return string(data.Materialize())
}

func decode(t *testing.T, c *rpc.Codec, data string, v any) {
	t.Helper()
	if err := c.Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, v); err != nil {
		t.Fatalf("unmarshal %T by %s: %v", v, c.Name(), err)
	}
}

func TestFind(t *testing.T) {
	cs := rpc.NewServerCodecs(nil)
	for contentType, name := range map[string]string{
		"application/grpc":                     "proto",
		"application/grpc+proto":               "proto",
		"application/proto":                    "proto",
		"application/protobuf":                 "proto",
		"application/octet-stream":             "proto",
		"application/json":                     "json",
		"application/grpc+json":                "json",
		"application/grpc+bytes":               "bytes",
		"Application/JSON":                     "json",
		"application/grpc+json; charset=utf-8": "json",
	} {
		if got := find(t, cs, contentType).Name(); got != name {
			t.Errorf("codec of %q is %q, want %q", contentType, got, name)
		}
	}
	for _, contentType := range []string{"", "text/plain", "application/grpc+foo"} {
		_, err := cs.Find(contentType)
		if want := "Unsupported Content-Type: " + contentType; err == nil || err.Error() != want {
			t.Errorf("error for %q is %v, want %s", contentType, err, want)
		}
	}
}

func TestLegacyMessages(t *testing.T) {
	in := &legacypb.HelloRequest{
		Name: "服务", Times: 1 << 60, Mood: legacypb.Mood_GLAD,
		Labels: map[string]string{"zone": "a"},
		Places: []*legacypb.Place{{StreetName: "Main"}},
		Who:    &legacypb.HelloRequest_NickName{NickName: "Nick"},
	}
	want, err := oldproto.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cs := rpc.NewClientCodecs(nil)
	for _, contentType := range []string{"application/grpc+proto", "application/grpc+json"} {
		c := find(t, cs, contentType)
		data := encode(t, c, in)
		if c.Name() == "proto" && data != string(want) {
			t.Errorf("proto is %x, golang/protobuf writes %x", data, want)
		}
		out := &legacypb.HelloRequest{}
		decode(t, c, data, out)
		if !oldproto.Equal(in, out) {
			t.Errorf("%s: got %v, want %v", contentType, out, in)
		}
	}
}

func TestJSON(t *testing.T) {
	in := &currentpb.SayRequest{Text: "hi", NumberOfTimes: 7, Where: &currentpb.SayRequest_HostName{HostName: "h"}}
	client := find(t, rpc.NewClientCodecs(nil), "application/json")
	server := find(t, rpc.NewServerCodecs(nil), "application/json")
	for c, want := range map[*rpc.Codec]string{
		client: `{"text":"hi","numberOfTimes":"7","hostName":"h"}`,
		server: `{"text":"hi","number_of_times":"7","host_name":"h"}`,
	} {
		if got := encode(t, c, in); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		for _, reader := range []*rpc.Codec{client, server} {
			out := &currentpb.SayRequest{}
			decode(t, reader, want, out)
			if !proto.Equal(in, out) {
				t.Errorf("%s read as %v", want, out)
			}
		}
	}
	if got := encode(t, server, &currentpb.SayRequest{}); got != `{}` {
		t.Errorf("an empty message is %s, want {}", got)
	}
	plain := struct{ Name string }{"x"}
	if got := encode(t, server, plain); got != `{"Name":"x"}` {
		t.Errorf("a struct is %s", got)
	}
	decode(t, server, "", &plain)
	if plain.Name != "x" {
		t.Errorf("an empty body changed the value to %q", plain.Name)
	}
}

func TestUseNumber(t *testing.T) {
	defer rpc.ForgetUseNumber()
	var before, after any
	c := find(t, rpc.NewClientCodecs(nil), "application/json")
	decode(t, c, "8234567890123456789", &before)
	rpc.UseNumber()
	decode(t, c, "8234567890123456789", &after)
	if _, ok := before.(float64); !ok {
		t.Errorf("before UseNumber: a %T", before)
	}
	if after != json.Number("8234567890123456789") {
		t.Errorf("after UseNumber: %v, a %T", after, after)
	}
}

func TestBytes(t *testing.T) {
	c := find(t, rpc.NewServerCodecs(nil), "application/grpc+bytes")
	in := []byte("raw")
	if encode(t, c, in) != "raw" || encode(t, c, &in) != "raw" {
		t.Error("bytes were changed")
	}
	var out []byte
	decode(t, c, "raw", &out)
	if string(out) != "raw" {
		t.Errorf("got %q", out)
	}
	if _, err := c.Marshal("text"); err == nil {
		t.Error("a string was accepted")
	}
	if err := c.Unmarshal(nil, new(string)); err == nil {
		t.Error("a *string was accepted")
	}
}

func TestFrameForEveryFormat(t *testing.T) {
	for name, c := range rpc.NewServerCodecs(nil) {
		frame := &bytes.Frame{Data: []byte("raw")}
		data, err := c.Marshal(&rpc.Body{Codec: c, Value: frame})
		if err != nil {
			t.Fatal(err)
		}
		copy(frame.Data, "xxx") // the sender has its bytes back
		out := &bytes.Frame{}
		if err := rpc.Proto.Unmarshal(data, &rpc.Body{Codec: c, Value: out}); err != nil {
			t.Fatal(err)
		}
		data.Free()
		if string(out.Data) != "raw" {
			t.Errorf("%s: got %q", name, out.Data)
		}
	}
}

func TestNoProtobufMessage(t *testing.T) {
	for _, v := range []any{nil, "text", struct{}{}, []byte("b")} {
		if _, err := rpc.Proto.Marshal(v); err == nil {
			t.Errorf("%T was marshalled as protobuf", v)
		}
		if err := rpc.Proto.Unmarshal(nil, v); err == nil {
			t.Errorf("%T was unmarshalled as protobuf", v)
		}
	}
}

// upper is a codec that a program brought.
type upper struct{}

func (upper) Marshal(v any) ([]byte, error) { return []byte(strings.ToUpper(*v.(*string))), nil }
func (upper) Unmarshal(data []byte, v any) error {
	*v.(*string) = strings.ToLower(string(data))
	return nil
}
func (upper) Name() string { return "Upper" }

func TestOwnCodec(t *testing.T) {
	cs := rpc.NewClientCodecs(map[string]encoding.Codec{"text/upper": upper{}})
	for _, contentType := range []string{"text/upper", "application/grpc+upper"} {
		c := find(t, cs, contentType)
		s := "abc"
		if got := encode(t, c, &s); got != "ABC" {
			t.Errorf("%s: got %q", contentType, got)
		}
		decode(t, c, "XYZ", &s)
		if s != "xyz" {
			t.Errorf("%s: read %q", contentType, s)
		}
	}
}

// Bodies above the size from which grpc takes pooled memory must not be mixed up.
func TestPooledMemory(t *testing.T) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			want := strings.Repeat(fmt.Sprint(g), 10_000)
			for range 50 {
				data, err := rpc.Proto.Marshal(&currentpb.SayReply{Text: want})
				if err != nil {
					t.Error(err)
					return
				}
				out, frame := &currentpb.SayReply{}, &bytes.Frame{}
				errs := []error{rpc.Proto.Unmarshal(data, out), rpc.Proto.Unmarshal(data, frame)}
				data.Free()
				if errs[0] != nil || errs[1] != nil || out.Text != want || !strings.Contains(string(frame.Data), want) {
					t.Errorf("the body of another: %v", errs)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestEncodeAhead(t *testing.T) {
	in := &currentpb.SayReply{Text: strings.Repeat("x", 5000)}
	body := &rpc.Body{Codec: rpc.Proto, Value: in}
	n, err := body.Encode()
	if err != nil || n != proto.Size(in) {
		t.Fatalf("got %d, %v", n, err)
	}
	body.Discard()
	if _, err := body.Encode(); err != nil {
		t.Fatal(err)
	}
	in.Text = "changed" // too late
	for _, want := range []int{n, proto.Size(in)} {
		data, err := rpc.Proto.Marshal(body)
		if err != nil || data.Len() != want {
			t.Errorf("got %d bytes, %v, want %d", data.Len(), err, want)
		}
		data.Free()
	}
	if _, err := (&rpc.Body{Codec: rpc.Proto, Value: "text"}).Encode(); err == nil {
		t.Error("a string was encoded as protobuf")
	}
}

// keeper is a message of the first API that decodes itself and keeps the bytes.
type keeper struct{ data []byte }

func (k *keeper) Reset()                      { *k = keeper{} }
func (k *keeper) String() string              { return string(k.data) }
func (*keeper) ProtoMessage()                 {}
func (k *keeper) Marshal() ([]byte, error)    { return k.data, nil }
func (k *keeper) Unmarshal(data []byte) error { k.data = data; return nil }

func TestMessagesThatKeepTheirBytes(t *testing.T) {
	pool := mem.DefaultBufferPool()
	buf := pool.Get(4096)
	copy(*buf, "mine")
	data := mem.BufferSlice{mem.NewBuffer(buf, pool)}
	k := &keeper{}
	if err := rpc.Proto.Unmarshal(data, k); err != nil {
		t.Fatal(err)
	}
	copy(*buf, "xxxx") // the pool has its buffer back
	if got := k.String()[:4]; got != "mine" {
		t.Errorf("the message holds %q", got)
	}
	data.Free()
}
