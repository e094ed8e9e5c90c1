package grpc

import (
	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/server"
)

// request is the server.Request of a call with one request and one response, and of
// a stream of a service of RegisterService, which has neither body nor message.
type request struct {
	service     string
	endpoint    string
	contentType string
	body        any // as the method takes it
	message     any // a pointer to it, or the same
	codec       *rpc.Codec
	stream      bool
}

var _ server.Request = (*request)(nil)

func (r *request) Service() string     { return r.service }
func (r *request) Method() string      { return r.endpoint }
func (r *request) Endpoint() string    { return r.endpoint }
func (r *request) ContentType() string { return r.contentType }
func (r *request) Body() any           { return r.body }
func (r *request) Stream() bool        { return r.stream }

// Header returns nil, as v2 does: the headers are in the metadata of the context.
func (r *request) Header() map[string]string { return nil }

// Codec returns nil, as v2 does: there is nothing left to read.
func (r *request) Codec() codec.Reader { return nil }

// Read encodes the request again. It returns nothing for a stream, whose messages
// come through the server.Stream.
func (r *request) Read() ([]byte, error) {
	if r.stream {
		return nil, nil
	}
	data, err := r.codec.Marshal(r.message)
	if err != nil {
		return nil, err
	}
	defer data.Free()
	return data.Materialize(), nil
}

// frames reads and writes the messages of a stream for a Router.
type frames struct {
	*routed
}

var _ codec.Codec = frames{}

// ReadHeader fills in what was called.
func (f frames) ReadHeader(m *codec.Message, _ codec.MessageType) error {
	if m != nil {
		m.Target, m.Method, m.Endpoint = f.service, f.endpoint, f.endpoint
		m.Header = f.header
	}
	return nil
}

// ReadBody decodes the next message into v; a *bytes.Frame takes it as it is, nil
// drops it.
func (f frames) ReadBody(v any) error {
	if v == nil {
		v = &bytes.Frame{}
	}
	return f.stream.RecvMsg(&rpc.Body{Codec: f.codec, Value: v})
}

// Write sends v or, if it is nil, the bytes in m.
func (f frames) Write(m *codec.Message, v any) error {
	if v == nil {
		v = &bytes.Frame{Data: m.Body}
	}
	return f.calls.send(f.stream, &rpc.Body{Codec: f.codec, Value: v})
}

// Close does nothing: the stream ends when the Router returns.
func (f frames) Close() error { return nil }

// String returns "grpc".
func (f frames) String() string { return "grpc" }
