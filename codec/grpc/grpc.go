// Package grpc is the codec by which mucp carried messages of gRPC: headers as maps, bodies
// in gRPC's frames. Calls over gRPC itself do not use it.
//
// Source of the format: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md,
// Length-Prefixed-Message. Bodies in JSON are written by encoding/json, as v2 writes them.
package grpc

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/frame"
	"github.com/rollcall-go/micro/internal/protomsg"
)

// MaxMessageSize is the largest body that is read, in bytes. It belongs to the program.
var MaxMessageSize = 4 << 20

// Codec reads and writes messages on a connection.
type Codec struct {
	Conn io.ReadWriteCloser
	// ContentType is that of the last header: application/grpc, application/grpc+proto or
	// application/grpc+json.
	ContentType string
}

var _ codec.Codec = (*Codec)(nil)

// NewCodec returns a Codec on the connection.
func NewCodec(c io.ReadWriteCloser) codec.Codec {
	return &Codec{Conn: c, ContentType: "application/grpc"}
}

// remember takes the content type from the headers of a message.
func (c *Codec) remember(m *codec.Message) {
	for _, key := range []string{"Content-Type", "content-type"} {
		if ct := m.Header[key]; ct != "" {
			c.ContentType = ct
		}
	}
}

// ReadHeader fills in Target and Endpoint from the headers that m has: from the path
// /package.Service/Method, or else from Micro-Service and Micro-Endpoint. It reads nothing.
func (c *Codec) ReadHeader(m *codec.Message, _ codec.MessageType) error {
	c.remember(m)
	path, isPath := strings.CutPrefix(m.Header[":path"], "/")
	if !isPath {
		m.Target, m.Endpoint = m.Header["Micro-Service"], m.Header["Micro-Endpoint"]
		return nil
	}
	service, method, ok := strings.Cut(path, "/")
	if !ok || strings.Contains(method, "/") {
		return fmt.Errorf("read the header: the path %.100q is not /service/method", m.Header[":path"])
	}
	target, name := "", service
	if dot := strings.LastIndexByte(service, '.'); dot >= 0 {
		target, name = service[:dot], service[dot+1:]
	}
	m.Target, m.Endpoint = target, name+"."+method
	return nil
}

// ReadBody reads one frame and decodes it into b. With a nil b it does nothing.
func (c *Codec) ReadBody(b any) error {
	if b == nil {
		return nil
	}
	head, err := frame.Header(c.Conn, 5)
	if err != nil {
		return err
	}
	if head[0] != 0 {
		return fmt.Errorf("read the body: it is compressed, which this codec does not know")
	}
	buf, err := frame.Read(c.Conn, uint64(binary.BigEndian.Uint32(head[1:])), MaxMessageSize)
	if err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	switch c.ContentType {
	case "application/grpc+json":
		return json.Unmarshal(buf, b)
	case "application/grpc+proto", "application/grpc":
		m, ok := protomsg.Of(b)
		if !ok {
			return fmt.Errorf("read the body into a %T, no protobuf message: %w", b, codec.ErrInvalidMessage)
		}
		return proto.Unmarshal(buf, m)
	}
	return c.unknown()
}

func (c *Codec) unknown() error {
	return fmt.Errorf("content type %.100q is none of application/grpc, application/grpc+proto and application/grpc+json", c.ContentType)
}

// Write puts what m says into its headers and writes b in one frame; an empty body is not
// written, nor is that of an error.
func (c *Codec) Write(m *codec.Message, b any) error {
	c.remember(m)
	if m.Header == nil {
		m.Header = map[string]string{}
	}
	switch m.Type {
	case codec.Request:
		service, method, ok := strings.Cut(m.Endpoint, ".")
		if !ok {
			return fmt.Errorf("write a request: the endpoint %.100q is not Service.Method", m.Endpoint)
		}
		method, _, _ = strings.Cut(method, ".")
		set(m.Header, ":method", "POST", ":path", "/"+m.Target+"."+service+"/"+method, ":proto", "HTTP/2.0", "te", "trailers",
			"user-agent", "grpc-go/1.0.0", ":authority", m.Target, "content-type", c.ContentType)
	case codec.Response:
		set(m.Header, "Trailer", "grpc-status", "content-type", c.ContentType, ":status", "200", "grpc-status", "0")
	case codec.Error:
		m.Header["Trailer"] = "grpc-status, grpc-message"
		if m.Error == endOfStream {
			m.Header["grpc-status"] = "0"
		} else {
			set(m.Header, "grpc-message", m.Error, "grpc-status", "13") // internal
		}
		return nil
	}
	buf, err := c.encode(b)
	if err != nil {
		set(m.Header, "grpc-status", "8", "grpc-message", err.Error()) // resource exhausted, as v2 has it
		return err
	}
	if len(buf) == 0 {
		return nil
	}
	_, err = c.Conn.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(buf))), buf...))
	return err
}

// endOfStream is the text of the error by which mucp ended a stream.
const endOfStream = "EOS"

func set(header map[string]string, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		header[pairs[i]] = pairs[i+1]
	}
}

func (c *Codec) encode(b any) ([]byte, error) {
	switch c.ContentType {
	case "application/grpc+json":
		return json.Marshal(b)
	case "application/grpc+proto", "application/grpc":
		if b == nil {
			return nil, nil
		}
		m, ok := protomsg.Of(b)
		if !ok {
			return nil, fmt.Errorf("write a %T, no protobuf message: %w", b, codec.ErrInvalidMessage)
		}
		return proto.Marshal(m)
	}
	return nil, c.unknown()
}

// Close closes the connection.
func (c *Codec) Close() error { return c.Conn.Close() }

// String returns "grpc".
func (c *Codec) String() string { return "grpc" }
