package grpc

import (
	"github.com/rollcall-go/micro/codec"
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
