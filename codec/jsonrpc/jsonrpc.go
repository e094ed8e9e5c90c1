// Package jsonrpc is the codec of JSON-RPC 1.0. Values are written and read by encoding/json.
//
// Source of the format: https://www.jsonrpc.org/specification_v1
package jsonrpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/frame"
)

// MaxMessageSize is the largest message that is read, in bytes. It belongs to the program.
var MaxMessageSize = 16 << 20

// NewCodec returns a codec on the connection.
func NewCodec(rwc io.ReadWriteCloser) codec.Codec {
	in := &io.LimitedReader{R: rwc}
	dec := json.NewDecoder(in)
	dec.UseNumber()
	return &jsonCodec{conn: rwc, in: in, dec: dec, enc: json.NewEncoder(rwc), pending: map[string]string{}}
}

type jsonCodec struct {
	conn io.ReadWriteCloser
	in   *io.LimitedReader
	dec  *json.Decoder
	enc  *json.Encoder

	kind    codec.MessageType // of the header that was read last
	body    json.RawMessage   // what came with it; nil for nothing
	pending map[string]string // the methods of requests that were written, by their ids
}

func (c *jsonCodec) Close() error   { return c.conn.Close() }
func (c *jsonCodec) String() string { return "json-rpc" }

func unrecognised(t codec.MessageType) error {
	return fmt.Errorf("message type %d is none that json-rpc knows", t)
}

// request and response are what is written.
type (
	request struct {
		Method string `json:"method"`
		Params [1]any `json:"params"`
		ID     string `json:"id"`
	}
	response struct {
		ID     string  `json:"id"`
		Result any     `json:"result"`
		Error  *string `json:"error"`
	}
)

func (c *jsonCodec) Write(m *codec.Message, b any) error {
	switch m.Type {
	case codec.Request:
		if err := c.enc.Encode(request{Method: m.Method, Params: [1]any{b}, ID: m.Id}); err != nil {
			return err
		}
		c.pending[m.Id] = m.Method
		return nil
	case codec.Response, codec.Error:
		r := response{ID: m.Id, Result: b}
		if m.Error != "" {
			r.Error = &m.Error
		}
		return c.enc.Encode(r)
	case codec.Event:
		data, err := json.Marshal(b)
		if err != nil {
			return err
		}
		_, err = c.conn.Write(data)
		return err
	}
	return unrecognised(m.Type)
}

// next decodes the next message, no larger than MaxMessageSize.
func (c *jsonCodec) next(v any) error {
	c.in.N = int64(MaxMessageSize)
	err := c.dec.Decode(v)
	if err != nil && c.in.N <= 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return fmt.Errorf("read a message: %w: %d bytes are allowed", frame.ErrTooLarge, MaxMessageSize)
	}
	return err
}

func (c *jsonCodec) ReadHeader(m *codec.Message, t codec.MessageType) error {
	c.kind, c.body = t, nil
	switch t {
	case codec.Request:
		return c.readRequest(m)
	case codec.Response:
		return c.readResponse(m)
	case codec.Event:
		data, err := frame.ReadAll(c.conn, MaxMessageSize)
		c.body = data
		return err
	}
	return unrecognised(t)
}

func (c *jsonCodec) readRequest(m *codec.Message) error {
	var in struct {
		Method string          `json:"method"`
		Params json.RawMessage `json:"params"`
		ID     any             `json:"id"`
	}
	if err := c.next(&in); err != nil {
		return err
	}
	m.Method, m.Id, c.body = in.Method, fmt.Sprint(in.ID), given(in.Params)
	return nil
}

func (c *jsonCodec) readResponse(m *codec.Message) error {
	var in struct {
		ID     any             `json:"id"`
		Result json.RawMessage `json:"result"`
		Error  any             `json:"error"`
	}
	if err := c.next(&in); err != nil {
		return err
	}
	m.Id = fmt.Sprint(in.ID)
	m.Method, m.Error = c.pending[m.Id], ""
	delete(c.pending, m.Id)
	switch why := in.Error.(type) {
	case nil:
	case string:
		if m.Error = why; why == "" {
			m.Error = "unspecified error"
		}
	default:
		return fmt.Errorf("read a response: the error %.100v is no text", why)
	}
	c.body = given(in.Result)
	return nil
}

// given returns nil for null, which stands for nothing.
func given(value json.RawMessage) json.RawMessage {
	if string(value) == "null" {
		return nil
	}
	return value
}

func (c *jsonCodec) ReadBody(b any) error {
	switch c.kind {
	case codec.Request:
		if b == nil {
			return nil
		}
		if c.body == nil {
			return errors.New("read the body of a request: it has no params")
		}
		return json.Unmarshal(c.body, &[1]any{b})
	case codec.Response:
		if b == nil || c.body == nil {
			return nil
		}
		return json.Unmarshal(c.body, b)
	case codec.Event:
		if b == nil {
			return nil
		}
		return json.Unmarshal(c.body, b)
	}
	return unrecognised(c.kind)
}
