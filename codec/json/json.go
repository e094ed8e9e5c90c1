// Package json is the codec of JSON. Protobuf messages are written and read by
// protobuf's own JSON rules, unless they know how to do it themselves; any other
// value by those of encoding/json.
package json

import (
	"encoding/json"
	"io"

	"github.com/rollcall-go/micro/codec"
)

// Codec reads and writes one JSON value after another on a connection.
type Codec struct {
	Conn    io.ReadWriteCloser
	Encoder *json.Encoder
	Decoder *json.Decoder
}

var _ codec.Codec = (*Codec)(nil)

// NewCodec returns a Codec on the connection.
func NewCodec(c io.ReadWriteCloser) codec.Codec {
	return &Codec{Conn: c, Encoder: json.NewEncoder(c), Decoder: json.NewDecoder(c)}
}

// ReadHeader does nothing: there is no header.
func (c *Codec) ReadHeader(*codec.Message, codec.MessageType) error {
	return nil
}

// ReadBody decodes the next value into b. With a nil b it does nothing.
func (c *Codec) ReadBody(b any) error {
	if b == nil {
		return nil
	}
	var value json.RawMessage
	if err := c.Decoder.Decode(&value); err != nil {
		return err
	}
	return Marshaler{}.Unmarshal(value, b)
}

// Write writes b as one line. With a nil b it does nothing.
func (c *Codec) Write(_ *codec.Message, b any) error {
	if b == nil {
		return nil
	}
	value, err := Marshaler{}.Marshal(b)
	if err != nil {
		return err
	}
	return c.Encoder.Encode(json.RawMessage(value))
}

// Close closes the connection.
func (c *Codec) Close() error { return c.Conn.Close() }

// String returns "json".
func (c *Codec) String() string { return "json" }
