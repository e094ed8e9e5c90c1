package bytes

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/rollcall-go/micro/codec"
)

// conn is a connection whose both ends are one buffer.
type conn struct {
	bytes.Buffer
	closed bool
}

func (c *conn) Close() error {
	c.closed = true
	return nil
}

var _ io.ReadWriteCloser = (*conn)(nil)

func TestCodec(t *testing.T) {
	data := []byte("data")
	for _, body := range []any{data, &data, &Frame{Data: data}} {
		c := NewCodec(new(conn))
		if err := c.Write(nil, body); err != nil {
			t.Fatalf("write a %T: %v", body, err)
		}
		if err := c.ReadHeader(&codec.Message{}, codec.Request); err != nil {
			t.Fatal(err)
		}
		var got Frame
		if err := c.ReadBody(&got); err != nil || string(got.Data) != "data" {
			t.Errorf("wrote a %T, read %q, %v", body, got.Data, err)
		}
	}
	c := &conn{}
	c.WriteString("data")
	var got []byte
	if err := NewCodec(c).ReadBody(&got); err != nil || string(got) != "data" {
		t.Errorf("read %q, %v, want data", got, err)
	}
	c.WriteString("data")
	if err := NewCodec(c).ReadBody(nil); err != nil || c.Len() != 0 {
		t.Errorf("a nil body left %d bytes, %v", c.Len(), err)
	}
	if err := NewCodec(c).Close(); err != nil || !c.closed {
		t.Errorf("Close did not close the connection: %v", err)
	}
	if s := NewCodec(c).String(); s != "bytes" {
		t.Errorf("String() = %q", s)
	}
}

func TestMarshaler(t *testing.T) {
	data := []byte("data")
	var m Marshaler
	for _, v := range []any{data, &data, &Message{Body: data}, &Frame{Data: data}} {
		if got, err := m.Marshal(v); err != nil || string(got) != "data" {
			t.Errorf("marshal a %T: %q, %v", v, got, err)
		}
	}
	var b []byte
	var msg Message
	var frame Frame
	for _, v := range []any{&b, &msg, &frame} {
		if err := m.Unmarshal(data, v); err != nil {
			t.Errorf("unmarshal into a %T: %v", v, err)
		}
	}
	for _, got := range [][]byte{b, msg.Body, frame.Data} {
		if string(got) != "data" {
			t.Errorf("unmarshalled %q, want data", got)
		}
	}
	if s := m.String(); s != "bytes" {
		t.Errorf("String() = %q", s)
	}
}

func TestInvalidMessage(t *testing.T) {
	_, marshal := Marshaler{}.Marshal("text")
	for name, err := range map[string]error{
		"Write":     NewCodec(new(conn)).Write(nil, "text"),
		"ReadBody":  NewCodec(new(conn)).ReadBody("text"),
		"Marshal":   marshal,
		"Unmarshal": Marshaler{}.Unmarshal(nil, "text"),
	} {
		if !errors.Is(err, codec.ErrInvalidMessage) {
			t.Errorf("%s = %v, want codec.ErrInvalidMessage", name, err)
		}
	}
}
