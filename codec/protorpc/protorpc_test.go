package protorpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/frame"
	"github.com/rollcall-go/micro/internal/protomsg"
)

type conn struct {
	bytes.Buffer
	from    io.Reader
	flushed int
}

func (c *conn) Close() error { return nil }
func (c *conn) Flush() error { c.flushed++; return nil }
func (c *conn) Read(p []byte) (int, error) {
	if c.from != nil {
		return c.from.Read(p)
	}
	return c.Buffer.Read(p)
}

func TestMessages(t *testing.T) {
	for _, kind := range []codec.MessageType{codec.Request, codec.Response, codec.Event} {
		wire := &conn{}
		out := &codec.Message{Type: kind, Id: "7", Method: "Greeter.Hello"}
		if kind == codec.Response {
			out.Error = "no"
		}
		if err := NewCodec(wire).Write(out, wrapperspb.String("x")); err != nil {
			t.Fatal(err)
		}
		if (wire.flushed == 0) != (kind == codec.Event) {
			t.Errorf("type %d: flushed %d times", kind, wire.flushed)
		}
		in, c := &codec.Message{}, NewCodec(&conn{from: iotest.OneByteReader(wire)})
		if err := c.ReadHeader(in, kind); err != nil {
			t.Fatal(err)
		}
		var got wrapperspb.StringValue
		if err := c.ReadBody(&got); err != nil || got.Value != "x" {
			t.Errorf("type %d: %q, %v", kind, got.Value, err)
		}
		if kind != codec.Event && (in.Id != "7" || in.Method != "Greeter.Hello" || in.Error != out.Error) {
			t.Errorf("type %d: header %+v", kind, in)
		}
	}
}

// TestTheEnvelopeIsAMessage reads and writes it as protobuf would.
func TestTheEnvelopeIsAMessage(t *testing.T) {
	want := &Response{ServiceMethod: "Greeter.Hello", Seq: 1 << 40, Error: "no"}
	m, ok := protomsg.Of(want)
	if !ok {
		t.Fatal("it is none")
	}
	b, err := proto.Marshal(m)
	if err != nil || !bytes.Equal(b, marshal(*want)) {
		t.Errorf("%q, %v, want %q", marshal(*want), err, b)
	}
	if got, err := unmarshal(append(b, 0x20, 0x01)); err != nil || got != *want { // and a field that it does not know
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatIsWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		want error
	}{
		"nothing":               {"", io.EOF},
		"cut off in the length": {"\x00\x00", io.ErrUnexpectedEOF},
		"cut off":               {"\x00\x00\x00\x09ab", io.ErrUnexpectedEOF},
		"too large":             {"\xff\xff\xff\xffab", frame.ErrTooLarge},
		"no message to read":    {"\x00\x00\x00\x00\x00\x00\x00\x00", codec.ErrInvalidMessage},
	} {
		c := NewCodec(&conn{from: strings.NewReader(tc.in)})
		err := c.ReadHeader(&codec.Message{}, codec.Request)
		if err == nil {
			err = c.ReadBody("no message")
		}
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := NewCodec(&conn{}).Write(&codec.Message{Type: codec.Request}, "no message"); !errors.Is(err, codec.ErrInvalidMessage) {
		t.Error(err)
	}
	wire := &conn{}
	if err := NewCodec(wire).Write(&codec.Message{Type: codec.Error, Error: "no"}, nil); err != nil || wire.String() != "\x00\x00\x00\x04\x1a\x02no\x00\x00\x00\x00" {
		t.Errorf("an error without a body: %q, %v", wire.String(), err)
	}
	if err := NewCodec(&conn{}).Write(&codec.Message{Type: 9}, nil); err == nil {
		t.Error("type 9 is written")
	}
	if err := NewCodec(&conn{}).ReadHeader(&codec.Message{}, 9); err == nil {
		t.Error("type 9 is read")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x03\x0a\x01x\x00\x00\x00\x03\x0a\x01y"), 1)
	f.Fuzz(func(t *testing.T, data []byte, kind int) {
		c := NewCodec(&conn{from: bytes.NewReader(data)})
		for c.ReadHeader(&codec.Message{}, codec.MessageType(kind)) == nil && c.ReadBody(&wrapperspb.StringValue{}) == nil {
			if kind == int(codec.Event) {
				break
			}
		}
	})
}

func ExampleNewCodec() {
	wire := &conn{}
	_ = NewCodec(wire).Write(&codec.Message{Type: codec.Request, Id: "1", Method: "Greeter.Hello"}, wrapperspb.String("John"))
	c, m := NewCodec(wire), &codec.Message{}
	_ = c.ReadHeader(m, codec.Request)
	var name wrapperspb.StringValue
	_ = c.ReadBody(&name)
	fmt.Println(m.Id, m.Method, name.Value)
	// Output: 1 Greeter.Hello John
}
