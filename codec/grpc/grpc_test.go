package grpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/iotest"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/frame"
)

// conn is a connection to oneself, or one that reads from elsewhere.
type conn struct {
	bytes.Buffer
	from io.Reader
}

func (c *conn) Close() error { return nil }
func (c *conn) Read(p []byte) (int, error) {
	if c.from != nil {
		return c.from.Read(p)
	}
	return c.Buffer.Read(p)
}

func TestBodies(t *testing.T) {
	for _, ct := range []string{"application/grpc", "application/grpc+proto", "application/grpc+json"} {
		wire := &conn{}
		m := &codec.Message{Type: codec.Request, Target: "go.micro.greeter", Endpoint: "Greeter.Hello", Header: map[string]string{"Content-Type": ct}}
		if err := NewCodec(wire).Write(m, wrapperspb.String("x")); err != nil {
			t.Fatal(err)
		}
		if m.Header[":path"] != "/go.micro.greeter.Greeter/Hello" || m.Header["content-type"] != ct {
			t.Errorf("headers %v", m.Header)
		}
		// However it is cut up on the way.
		in := NewCodec(&conn{from: iotest.OneByteReader(wire)})
		got := &codec.Message{Header: maps.Clone(m.Header)}
		if err := in.ReadHeader(got, codec.Request); err != nil || got.Target != "go.micro.greeter" || got.Endpoint != "Greeter.Hello" {
			t.Errorf("%+v, %v", got, err)
		}
		var out wrapperspb.StringValue
		if err := in.ReadBody(&out); err != nil || out.Value != "x" {
			t.Errorf("%s: %q, %v", ct, out.Value, err)
		}
		if err := in.ReadBody(&out); err != io.EOF {
			t.Errorf("after the last: %v", err)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		into any
		want error
	}{
		"cut off in the header": {"\x00\x00\x00", &wrapperspb.StringValue{}, io.ErrUnexpectedEOF},
		"cut off in the body":   {"\x00\x00\x00\x00\x03ab", &wrapperspb.StringValue{}, io.ErrUnexpectedEOF},
		"too large":             {"\x00\xff\xff\xff\xffab", &wrapperspb.StringValue{}, frame.ErrTooLarge},
		"no message to read":    {"\x00\x00\x00\x00\x00", new(string), codec.ErrInvalidMessage},
	} {
		if err := NewCodec(&conn{from: strings.NewReader(tc.in)}).ReadBody(tc.into); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := NewCodec(&conn{from: strings.NewReader("\x01\x00\x00\x00\x00")}).ReadBody(&wrapperspb.StringValue{}); err == nil || !strings.Contains(err.Error(), "compressed") {
		t.Errorf("compressed: %v", err)
	}
	for _, path := range []string{"/", "/a", "/a/b/c"} {
		if err := NewCodec(&conn{}).ReadHeader(&codec.Message{Header: map[string]string{":path": path}}, codec.Request); err == nil {
			t.Errorf("path %q is taken", path)
		}
	}
	c := &Codec{Conn: &conn{from: strings.NewReader("\x00\x00\x00\x00\x00")}, ContentType: "text/plain"}
	if err := c.ReadBody(&wrapperspb.StringValue{}); err == nil || !strings.Contains(err.Error(), `"text/plain"`) {
		t.Errorf("another content type: %v", err)
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	m := &codec.Message{Type: codec.Response} // without headers
	err := NewCodec(&conn{}).Write(m, "no message")
	if !errors.Is(err, codec.ErrInvalidMessage) || m.Header["grpc-status"] != "8" {
		t.Errorf("%v, %v", err, m.Header)
	}
	if err := NewCodec(&conn{}).Write(&codec.Message{Type: codec.Request, Endpoint: "Hello"}, nil); err == nil {
		t.Error("an endpoint without a dot is written")
	}
}

// FuzzRead reads what somebody may send, in frames and in headers.
func FuzzRead(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x03\x0a\x01x"), "/a.B/C", "application/grpc")
	f.Add([]byte("\x00\x00\x00\x00\x03\"x\""), "/a", "application/grpc+json")
	f.Fuzz(func(t *testing.T, data []byte, path, ct string) {
		c := NewCodec(&conn{from: bytes.NewReader(data)})
		m := &codec.Message{Header: map[string]string{":path": path, "content-type": ct}}
		if c.ReadHeader(m, codec.Request) != nil {
			return
		}
		for c.ReadBody(&wrapperspb.StringValue{}) == nil {
		}
	})
}

func ExampleNewCodec() {
	wire := &conn{}
	m := &codec.Message{Type: codec.Request, Target: "go.micro.greeter", Endpoint: "Greeter.Hello"}
	_ = NewCodec(wire).Write(m, wrapperspb.String("John"))
	fmt.Printf("%s %q\n", m.Header[":path"], wire.String())
	// Output: /go.micro.greeter.Greeter/Hello "\x00\x00\x00\x00\x06\n\x04John"
}
