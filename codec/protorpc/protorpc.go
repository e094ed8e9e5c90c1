// Package protorpc is the codec of protobuf's messages after the manner of net/rpc: an
// envelope and a body, each with its length before it. Events are the body alone, up to the
// end of the connection.
package protorpc

import (
	"fmt"
	"io"
	"strconv"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/frame"
	"github.com/rollcall-go/micro/internal/protomsg"
)

// NewCodec returns a codec on the connection, which it flushes after each message if the
// connection has a method Flush() error.
func NewCodec(rwc io.ReadWriteCloser) codec.Codec { return &protoCodec{conn: rwc} }

type protoCodec struct {
	conn  io.ReadWriteCloser
	kind  codec.MessageType // of the header that was read last
	event []byte            // the body that came with it

	mu sync.Mutex // one message is written at a time
}

func (c *protoCodec) Close() error   { return c.conn.Close() }
func (c *protoCodec) String() string { return "proto-rpc" }

func unrecognised(t codec.MessageType) error {
	return fmt.Errorf("message type %d is none that proto-rpc knows", t)
}

// seq is the number in an id, 0 if it is none.
func seq(id string) uint64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0
	}
	return uint64(n)
}

// body encodes b. Where nothing may be sent, anything else than a message is nothing.
func body(b any, nothing bool) ([]byte, error) {
	m, ok := protomsg.Of(b)
	switch {
	case ok:
		return proto.Marshal(m)
	case nothing:
		return nil, nil
	}
	return nil, fmt.Errorf("write a %T, no protobuf message: %w", b, codec.ErrInvalidMessage)
}

func (c *protoCodec) Write(m *codec.Message, b any) error {
	head := Response{ServiceMethod: m.Method, Seq: seq(m.Id)}
	nothing := false
	switch m.Type {
	case codec.Request, codec.Event:
	case codec.Response, codec.Error:
		head.Error, nothing = m.Error, true
	default:
		return unrecognised(m.Type)
	}
	data, err := body(b, nothing)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.Type == codec.Event {
		_, err = c.conn.Write(data)
		return err
	}
	if _, err := WriteNetString(c.conn, marshal(head)); err != nil {
		return err
	}
	if _, err := WriteNetString(c.conn, data); err != nil {
		return err
	}
	if f, ok := c.conn.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}

func (c *protoCodec) ReadHeader(m *codec.Message, t codec.MessageType) error {
	c.kind, c.event = t, nil
	switch t {
	case codec.Request, codec.Response:
		data, err := ReadNetString(c.conn)
		if err != nil {
			return err
		}
		head, err := unmarshal(data)
		if err != nil {
			return err
		}
		m.Method, m.Id = head.ServiceMethod, strconv.FormatUint(head.Seq, 10)
		if t == codec.Response {
			m.Error = head.Error
		}
		return nil
	case codec.Event:
		data, err := frame.ReadAll(c.conn, MaxMessageSize)
		c.event = data
		return err
	}
	return unrecognised(t)
}

func (c *protoCodec) ReadBody(b any) error {
	data := c.event
	switch c.kind {
	case codec.Request, codec.Response:
		var err error
		if data, err = ReadNetString(c.conn); err != nil {
			return err
		}
	case codec.Event:
	default:
		return unrecognised(c.kind)
	}
	if b == nil {
		return nil
	}
	m, ok := protomsg.Of(b)
	if !ok {
		return fmt.Errorf("read the body into a %T, no protobuf message: %w", b, codec.ErrInvalidMessage)
	}
	return proto.Unmarshal(data, m)
}
