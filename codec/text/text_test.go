package text

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/frame"
)

type conn struct{ bytes.Buffer }

func (c *conn) Close() error { return nil }

func TestKinds(t *testing.T) {
	s, b := "héllo", []byte("héllo")
	for _, out := range []any{s, &s, b, &b, &Frame{Data: b}} {
		var str string
		var raw []byte
		var fr Frame
		for got, in := range map[*string]any{new(string): &str, new(string): &raw, new(string): &fr} {
			wire := &conn{}
			if err := NewCodec(wire).Write(nil, out); err != nil {
				t.Fatal(err)
			}
			if err := NewCodec(wire).ReadBody(in); err != nil {
				t.Fatal(err)
			}
			if *got = str + string(raw) + string(fr.Data); *got != s {
				t.Errorf("%T into %T: %q", out, in, *got)
			}
			str, raw, fr = "", nil, Frame{}
		}
	}
	if err := NewCodec(&conn{}).Write(nil, 1); !errors.Is(err, codec.ErrInvalidMessage) {
		t.Error(err)
	}
	if err := NewCodec(&conn{}).ReadBody(new(int)); !errors.Is(err, codec.ErrInvalidMessage) {
		t.Error(err)
	}
	if err := NewCodec(&conn{}).ReadBody(nil); err != nil {
		t.Error(err)
	}
	long := &conn{}
	long.WriteString(strings.Repeat("x", MaxMessageSize+1))
	if err := NewCodec(long).ReadBody(&s); !errors.Is(err, frame.ErrTooLarge) {
		t.Error(err)
	}
}

func ExampleNewCodec() {
	wire := &conn{}
	c := NewCodec(wire)
	_ = c.Write(&codec.Message{}, "hello")
	var got string
	_ = c.ReadBody(&got)
	fmt.Println(got)
	// Output: hello
}
