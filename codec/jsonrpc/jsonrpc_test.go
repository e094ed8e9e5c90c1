package jsonrpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/frame"
)

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

type greeting struct {
	Name string `json:"name"`
}

func reads(text string) codec.Codec { return NewCodec(&conn{from: strings.NewReader(text)}) }

func TestRequestsAndResponses(t *testing.T) {
	there, back := &conn{}, &conn{}
	client := NewCodec(&struct {
		io.Reader
		io.Writer
		io.Closer
	}{back, there, there})
	server := NewCodec(&struct {
		io.Reader
		io.Writer
		io.Closer
	}{there, back, there})
	for _, id := range []string{"1", "two"} {
		if err := client.Write(&codec.Message{Type: codec.Request, Id: id, Method: "Greeter.Hello"}, greeting{"John"}); err != nil {
			t.Fatal(err)
		}
		m, in := &codec.Message{}, greeting{}
		if err := errors.Join(server.ReadHeader(m, codec.Request), server.ReadBody(&in)); err != nil || m.Id != id || m.Method != "Greeter.Hello" || in.Name != "John" {
			t.Errorf("the request: %+v, %+v, %v", m, in, err)
		}
		if err := server.Write(&codec.Message{Type: codec.Response, Id: m.Id, Error: map[string]string{"two": "no"}[id]}, greeting{"Ann"}); err != nil {
			t.Fatal(err)
		}
		m, in = &codec.Message{}, greeting{}
		if err := errors.Join(client.ReadHeader(m, codec.Response), client.ReadBody(&in)); err != nil || m.Id != id || m.Method != "Greeter.Hello" || in.Name != "Ann" || (m.Error == "no") != (id == "two") {
			t.Errorf("the response: %+v, %+v, %v", m, in, err)
		}
	}
	if n := len(client.(*jsonCodec).pending); n != 0 {
		t.Errorf("%d requests are waited for", n)
	}
}

func TestEvents(t *testing.T) {
	wire := &conn{}
	if err := NewCodec(wire).Write(&codec.Message{Type: codec.Event}, greeting{"John"}); err != nil {
		t.Fatal(err)
	}
	c, in := NewCodec(wire), greeting{}
	if err := errors.Join(c.ReadHeader(&codec.Message{}, codec.Event), c.ReadBody(&in)); err != nil || in.Name != "John" {
		t.Errorf("%+v, %v", in, err)
	}
}

func TestIDs(t *testing.T) {
	for text, want := range map[string]string{`1`: "1", `12345678901234567`: "12345678901234567", `"x"`: "x", `null`: "<nil>", `[1]`: "[1]", `{"a":1}`: "map[a:1]"} {
		for _, kind := range []codec.MessageType{codec.Request, codec.Response} {
			m := &codec.Message{}
			if err := reads(`{"id":`+text+`,"method":"M"}`).ReadHeader(m, kind); err != nil || m.Id != want {
				t.Errorf("type %d, id %s: %q, %v", kind, text, m.Id, err)
			}
		}
	}
}

func TestWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		``:                      "EOF",
		`{"id":1`:               "unexpected EOF",
		`[]`:                    "cannot unmarshal array",
		`{"method":"M"}`:        "it has no params",
		`{"params":null}`:       "it has no params",
		`{"params":[{"name":`:   "unexpected EOF",
		`{"params":{"name":1}}`: "cannot unmarshal object",
	} {
		c := reads(text)
		err := c.ReadHeader(&codec.Message{}, codec.Request)
		if err == nil {
			err = c.ReadBody(&greeting{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := reads(`{"id":1,"error":{"code":1}}`).ReadHeader(&codec.Message{}, codec.Response); err == nil {
		t.Error("an error that is no text is taken")
	}
	m := &codec.Message{}
	if err := reads(`{"id":1,"error":""}`).ReadHeader(m, codec.Response); err != nil || m.Error != "unspecified error" {
		t.Errorf("%+v, %v", m, err)
	}
	kept := &greeting{"kept"}
	c := reads(`{"id":1,"result":null}`)
	if err := errors.Join(c.ReadHeader(&codec.Message{}, codec.Response), c.ReadBody(&kept)); err != nil || kept == nil || kept.Name != "kept" {
		t.Errorf("without a result: %+v, %v", kept, err)
	}
	long := NewCodec(&conn{from: io.MultiReader(strings.NewReader(`{"id":"`), endless{})})
	if err := long.ReadHeader(&codec.Message{}, codec.Request); !errors.Is(err, frame.ErrTooLarge) {
		t.Errorf("without an end: %v", err)
	}
	if err := NewCodec(&conn{}).Write(&codec.Message{Type: 9}, nil); err == nil {
		t.Error("type 9 is written")
	}
}

// endless is text without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"id":1,"method":"M","params":[{"name":"x"}]}`), 1)
	f.Add([]byte(`{"id":[],"result":{"name":"x"},"error":null}`), 2)
	f.Fuzz(func(t *testing.T, data []byte, kind int) {
		c := NewCodec(&conn{from: bytes.NewReader(data)})
		for c.ReadHeader(&codec.Message{}, codec.MessageType(kind)) == nil && c.ReadBody(&greeting{}) == nil {
			if kind == int(codec.Event) {
				break
			}
		}
	})
}

func ExampleNewCodec() {
	wire := &conn{}
	_ = NewCodec(wire).Write(&codec.Message{Type: codec.Request, Id: "1", Method: "Greeter.Hello"}, greeting{"John"})
	fmt.Print(wire.String())
	// Output: {"method":"Greeter.Hello","params":[{"name":"John"}],"id":"1"}
}
