package micro

import (
	"bytes"
	"context"
	"encoding/gob"
	"io"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// goBinary is a codec that a program brings.
type goBinary struct{}

func (goBinary) Name() string { return "gob" }

func (goBinary) Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func (goBinary) Unmarshal(data []byte, v any) error {
	return gob.NewDecoder(bytes.NewReader(data)).Decode(v)
}

// Parrot repeats what it is told, in a call and in a stream.
type Parrot struct{}

// Say answers with what it gets.
func (*Parrot) Say(_ context.Context, req, rsp *Text) error {
	rsp.Text = req.Text
	return nil
}

// Talk answers each message with itself.
func (*Parrot) Talk(_ context.Context, stream server.Stream) error {
	for {
		var text Text
		if err := stream.Recv(&text); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.Send(&text); err != nil {
			return err
		}
	}
}

// A codec of the program's own on both sides, chosen by each call and each stream, and
// beside it those that are always there.
func TestCodecsPerCall(t *testing.T) {
	const own = "application/x-gob"
	r := newMemory(t)
	s := newNode(t, "parrot", r, nil)
	if err := s.Server().Init(sgrpc.Codec(own, goBinary{})); err != nil {
		t.Fatal(err)
	}
	if err := RegisterHandler(s.Server(), &Parrot{}); err != nil {
		t.Fatal(err)
	}
	run(t, s)
	c := newNode(t, "caller", r, nil).Client()
	if err := c.Init(cgrpc.Codec(own, goBinary{}), cgrpc.Codec("application/x-nobody", lonely{})); err != nil {
		t.Fatal(err)
	}
	request := func(endpoint, contentType string, body any) client.Request {
		return c.NewRequest("parrot", endpoint, body, client.WithContentType(contentType))
	}
	for _, contentType := range []string{own, "application/json", "Application/X-Gob; charset=utf-8", "application/grpc+json"} {
		var rsp Text
		if err := c.Call(t.Context(), request("Parrot.Say", contentType, &Text{"hello"}), &rsp); err != nil || rsp.Text != "hello" {
			t.Errorf("%s: a call: %q, %v", contentType, rsp.Text, err)
		}
		stream, err := c.Stream(t.Context(), request("Parrot.Talk", contentType, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"a", "服务"} {
			if err := stream.Send(&Text{text}); err != nil {
				t.Fatal(err)
			}
			if err := stream.Recv(&rsp); err != nil || rsp.Text != text {
				t.Errorf("%s: a stream: %q, %v", contentType, rsp.Text, err)
			}
		}
		if err := stream.Close(); err != nil {
			t.Error(err)
		}
	}
	for what, tc := range map[string]struct {
		contentType string
		body, rsp   any
		want        string
	}{
		"a content type that nobody has":        {"text/plain", &Text{}, &Text{}, "Unsupported Content-Type: text/plain"},
		"a codec that the server has not":       {"application/x-nobody", &Text{}, &Text{}, "Unsupported Content-Type: application/grpc+nobody"},
		"a struct as protobuf":                  {"application/grpc+proto", &Text{}, &Text{}, "no protobuf message"},
		"a struct as bytes":                     {"application/grpc+bytes", &Text{}, &Text{}, "as bytes"},
		"a message into what takes none":        {"application/grpc+proto", wrapperspb.String("x"), &wrapperspb.StringValue{}, `decode the request to "parrot" "Parrot.Say"`},
		"an answer into what does not take one": {"application/json", &Text{"x"}, new(int), `decode the answer of "parrot" "Parrot.Say", content type "application/json"`},
	} {
		err := c.Call(t.Context(), request("Parrot.Say", tc.contentType, tc.body), tc.rsp)
		if e := errors.FromError(err); e.GetCode() != 500 || !strings.Contains(e.Detail, tc.want) {
			t.Errorf("%s: %v, want %q", what, err, tc.want)
		}
	}
}

// lonely is a codec that only the client has.
type lonely struct{ goBinary }

func (lonely) Name() string { return "nobody" }
