package grpc

import (
	"context"
	"maps"
	"strings"

	"google.golang.org/grpc/mem"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

const (
	// contentTypeKey is the header that names the encoding of a message.
	contentTypeKey = "Content-Type"
	// unnamedType is the encoding of a message that names none, as in v2.
	unnamedType = "application/grpc"
)

// message is a message on its way to one function, or to the Router.
type message struct {
	topic       string
	contentType string
	header      map[string]string
	body        []byte
	payload     any // as the function takes it; nil for a Router
	codec       *rpc.Codec
}

var _ server.Message = (*message)(nil)

func (m *message) Topic() string             { return m.topic }
func (m *message) Payload() any              { return m.payload }
func (m *message) ContentType() string       { return m.contentType }
func (m *message) Header() map[string]string { return m.header }
func (m *message) Body() []byte              { return m.body }
func (m *message) Codec() codec.Reader       { return messageReader{m} }

// decode decodes the body into v.
func (m *message) decode(v any) error {
	return m.codec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(m.body)}, v)
}

// newContext returns ctx with the event in it, and the headers as metadata.
func (m *message) newContext(ctx context.Context, e broker.Event) context.Context {
	return metadata.NewDeferredContext(broker.NewEventContext(ctx, e), m.metadata)
}

// metadata returns the headers without the content type: that is the message's, and not
// for calls that are made on account of it.
func (m *message) metadata(context.Context) metadata.Metadata {
	md := metadata.Metadata(maps.Clone(m.header))
	maps.DeleteFunc(md, func(key, _ string) bool { return strings.EqualFold(key, contentTypeKey) })
	return md
}

// contentTypeOf returns what the headers say the encoding is.
func contentTypeOf(header map[string]string) string {
	if ct := header[contentTypeKey]; ct != "" {
		return ct
	}
	for key, value := range header { // another spelling; there is one at most
		if value != "" && strings.EqualFold(key, contentTypeKey) {
			return value
		}
	}
	return unnamedType
}

// messageReader reads the one message that there is.
type messageReader struct{ message *message }

var _ codec.Reader = messageReader{}

// ReadHeader fills in the topic, the headers and the undecoded body.
func (r messageReader) ReadHeader(m *codec.Message, _ codec.MessageType) error {
	if m != nil {
		m.Type, m.Target, m.Header, m.Body = codec.Event, r.message.topic, r.message.header, r.message.body
	}
	return nil
}

// ReadBody decodes the body into v; a *bytes.Frame takes it as it is, nil drops it.
func (r messageReader) ReadBody(v any) error {
	if v == nil {
		return nil
	}
	return r.message.decode(v)
}
