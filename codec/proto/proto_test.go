package proto

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/codec"
)

// first is a message as protoc-gen-go 1.3 wrote them.
type first struct {
	Name string `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
}

func (m *first) Reset()         { *m = first{} }
func (m *first) String() string { return m.Name }
func (*first) ProtoMessage()    {}

// conn is a connection whose both ends are one buffer.
type conn struct {
	bytes.Buffer
	closed bool
}

func (c *conn) Close() error {
	c.closed = true
	return nil
}

func TestBothAPIs(t *testing.T) {
	c := NewCodec(new(conn))
	if err := c.Write(nil, wrapperspb.String("a")); err != nil {
		t.Fatal(err)
	}
	if err := c.ReadHeader(&codec.Message{}, codec.Request); err != nil {
		t.Fatal(err)
	}
	var old first
	if err := c.ReadBody(&old); err != nil || old.Name != "a" {
		t.Fatalf("read %v, %v into a message of the first API, want a", &old, err)
	}
	if err := c.Write(nil, &old); err != nil {
		t.Fatal(err)
	}
	var current wrapperspb.StringValue
	if err := c.ReadBody(&current); err != nil || current.Value != "a" {
		t.Fatalf("read %v, %v into a message of the current API, want a", &current, err)
	}
}

func TestNilBodyAndClose(t *testing.T) {
	c := new(conn)
	if err := NewCodec(c).ReadBody(nil); err != nil {
		t.Errorf("ReadBody(nil) = %v", err)
	}
	if err := NewCodec(c).Close(); err != nil || !c.closed {
		t.Errorf("Close did not close the connection: %v", err)
	}
	if a, b := NewCodec(c).String(), (Marshaler{}).String(); a != "proto" || b != "proto" {
		t.Errorf("String() = %q, %q", a, b)
	}
}

func TestMessageIsItsData(t *testing.T) {
	want, err := proto.Marshal(wrapperspb.String("a"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Marshaler{}.Marshal(NewMessage(want))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("Marshal = %x, %v, want %x", got, err, want)
	}
	var m Message
	if err := (Marshaler{}).Unmarshal(want, &m); err != nil || !bytes.Equal(m.Data, want) {
		t.Errorf("Unmarshal = %x, %v, want %x", m.Data, err, want)
	}
	want[0] ^= 0xff
	if bytes.Equal(m.Data, want) {
		t.Error("the message shares the memory that it was read from")
	}
	var in struct{ M Message }
	if err := json.Unmarshal([]byte(`{"M": [1, 2]}`), &in); err != nil || in.M.String() != "[1, 2]" {
		t.Errorf("read %q, %v from JSON", in.M.String(), err)
	}
	if out, err := json.Marshal(NewMessage([]byte(`[1]`))); err != nil || string(out) != "[1]" {
		t.Errorf("wrote %q, %v as JSON", out, err)
	}
}

func TestInvalidMessage(t *testing.T) {
	_, marshal := Marshaler{}.Marshal("text")
	for name, err := range map[string]error{
		"Write":     NewCodec(new(conn)).Write(nil, nil),
		"ReadBody":  NewCodec(new(conn)).ReadBody("text"),
		"Marshal":   marshal,
		"Unmarshal": Marshaler{}.Unmarshal(nil, "text"),
	} {
		if !errors.Is(err, codec.ErrInvalidMessage) {
			t.Errorf("%s = %v, want codec.ErrInvalidMessage", name, err)
		}
	}
	if err := (Marshaler{}).Unmarshal([]byte{0xff}, new(wrapperspb.StringValue)); err == nil {
		t.Error("Unmarshal took half a tag")
	}
}
