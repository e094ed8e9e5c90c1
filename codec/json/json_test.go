package json

import (
	"bytes"
	"io"
	"testing"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/codec/proto"
)

// first is a message as protoc-gen-go 1.3 wrote them.
type first struct {
	FullName string `protobuf:"bytes,1,opt,name=full_name,json=fullName,proto3" json:"full_name,omitempty"`
	Size     int64  `protobuf:"varint,2,opt,name=size,proto3" json:"size,omitempty"`
}

func (m *first) Reset()         { *m = first{} }
func (m *first) String() string { return m.FullName }
func (*first) ProtoMessage()    {}

type plain struct {
	A string `json:"a"`
}

// conn is a connection whose both ends are one buffer.
type conn struct {
	bytes.Buffer
	closed bool
}

func (c *conn) Close() error {
	c.closed = true
	return nil
}

func TestMarshal(t *testing.T) {
	for _, tt := range []struct {
		v    any
		want string
	}{
		{&first{FullName: "<a>", Size: 7}, `{"fullName":"<a>","size":"7"}`},
		{&first{}, `{}`},
		{durationpb.New(1500e6), `"1.500s"`},
		{&plain{A: "x"}, `{"a":"x"}`},
		{map[string]int{"n": 1}, `{"n":1}`},
		{proto.NewMessage([]byte(`[1]`)), `[1]`},
	} {
		if got, err := (Marshaler{}).Marshal(tt.v); err != nil || string(got) != tt.want {
			t.Errorf("marshal a %T: %s, %v, want %s", tt.v, got, err, tt.want)
		}
	}
}

func TestUnmarshal(t *testing.T) {
	for _, text := range []string{`{"fullName":"a","size":"7"}`, `{"full_name":"a","size":7}`} {
		var m first
		if err := (Marshaler{}).Unmarshal([]byte(text), &m); err != nil || m != (first{"a", 7}) {
			t.Errorf("unmarshal %s: %+v, %v", text, m, err)
		}
	}
	var p plain
	if err := (Marshaler{}).Unmarshal([]byte(`{"a":"x"}`), &p); err != nil || p.A != "x" {
		t.Errorf("unmarshal into a struct: %v, %v", p, err)
	}
	var raw proto.Message
	if err := (Marshaler{}).Unmarshal([]byte(`[1]`), &raw); err != nil || raw.String() != "[1]" {
		t.Errorf("unmarshal into a proto.Message: %v, %v", &raw, err)
	}
	if err := (Marshaler{}).Unmarshal([]byte(`{"unknown":1}`), new(first)); err == nil {
		t.Error("unmarshal took a field that the message does not have")
	}
}

func TestCodecReadsOneValueAfterAnother(t *testing.T) {
	buf := new(conn)
	c := NewCodec(buf)
	value, err := structpb.NewStruct(map[string]any{"k": "v"})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []any{&first{FullName: "a", Size: 7}, nil, &plain{A: "x"}, value} {
		if err := c.Write(&codec.Message{}, body); err != nil {
			t.Fatalf("write a %T: %v", body, err)
		}
	}
	if want := "{\"fullName\":\"a\",\"size\":\"7\"}\n{\"a\":\"x\"}\n{\"k\":\"v\"}\n"; buf.String() != want {
		t.Fatalf("wrote %q, want %q", buf.String(), want)
	}

	if err := c.ReadHeader(&codec.Message{}, codec.Request); err != nil {
		t.Fatal(err)
	}
	var m first
	var p plain
	var s structpb.Struct
	for _, body := range []any{&m, nil, &p, &s} {
		if err := c.ReadBody(body); err != nil {
			t.Fatalf("read a %T: %v", body, err)
		}
	}
	if m != (first{"a", 7}) || p.A != "x" || s.AsMap()["k"] != "v" {
		t.Errorf("read %v, %v, %v", &m, p, &s)
	}
	if err := c.ReadBody(&p); err != io.EOF {
		t.Errorf("at the end: %v, want io.EOF", err)
	}
	if err := c.Close(); err != nil || !buf.closed {
		t.Errorf("Close did not close the connection: %v", err)
	}
	if a, b := c.String(), (Marshaler{}).String(); a != "json" || b != "json" {
		t.Errorf("String() = %q, %q", a, b)
	}
}

func TestWriteOfWhatCannotBeJSON(t *testing.T) {
	buf := new(conn)
	if err := NewCodec(buf).Write(nil, make(chan int)); err == nil || buf.Len() != 0 {
		t.Errorf("Write = %v and wrote %q, want an error and nothing", err, buf)
	}
}
