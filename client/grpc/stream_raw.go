package grpc

import (
	"strings"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/codec/bytes"
)

// streamRequest is the request of an open stream.
type streamRequest struct {
	client.Request
	stream *stream
}

func (r streamRequest) Codec() codec.Writer { return streamCodec{r.stream} }

// streamResponse is what is received on a stream, undecoded.
type streamResponse struct{ stream *stream }

var _ client.Response = streamResponse{}

func (r streamResponse) Codec() codec.Reader { return streamCodec(r) }

// Header waits for the headers of the answer, which come with the first message, and
// returns them, several values of one joined by ", ". It is empty if there are none.
func (r streamResponse) Header() map[string]string {
	header := map[string]string{}
	if r.stream.raw == nil {
		return header
	}
	md, err := r.stream.header()
	if err != nil {
		return header // Recv tells it
	}
	for name, values := range md {
		header[name] = strings.Join(values, ", ")
	}
	return header
}

// Read returns the next message undecoded, io.EOF after the last.
func (r streamResponse) Read() ([]byte, error) {
	var f bytes.Frame
	err := r.stream.Recv(&f)
	return f.Data, err
}

// streamCodec reads and writes the messages of a stream.
type streamCodec struct{ stream *stream }

var _ codec.Codec = streamCodec{}

// ReadHeader fills in what was called.
func (c streamCodec) ReadHeader(m *codec.Message, _ codec.MessageType) error {
	if m != nil {
		r := c.stream.request
		m.Target, m.Method, m.Endpoint = r.Service(), r.Endpoint(), r.Endpoint()
		m.Header = streamResponse(c).Header()
	}
	return nil
}

// ReadBody decodes the next message into v; a *bytes.Frame takes it as it is, nil
// drops it.
func (c streamCodec) ReadBody(v any) error {
	if v == nil {
		v = &bytes.Frame{}
	}
	return c.stream.Recv(v)
}

// Write sends v or, if it is nil, the bytes in m.
func (c streamCodec) Write(m *codec.Message, v any) error {
	if v == nil {
		v = &bytes.Frame{Data: m.Body}
	}
	return c.stream.Send(v)
}

func (c streamCodec) Close() error   { return c.stream.Close() }
func (c streamCodec) String() string { return "grpc" }
