// Package proto is the codec of protobuf's binary format. It takes messages of
// the current protobuf API and of the first one.
package proto

import (
	"io"

	"github.com/rollcall-go/micro/codec"
)

// Codec reads and writes messages on a connection.
type Codec struct {
	Conn io.ReadWriteCloser
}

var _ codec.Codec = (*Codec)(nil)

// NewCodec returns a Codec on the connection.
func NewCodec(c io.ReadWriteCloser) codec.Codec {
	return &Codec{Conn: c}
}

// ReadHeader does nothing: there is no header.
func (c *Codec) ReadHeader(*codec.Message, codec.MessageType) error {
	return nil
}

// ReadBody reads up to the end of the connection and decodes that into b. With a
// nil b it does nothing.
func (c *Codec) ReadBody(b any) error {
	if b == nil {
		return nil
	}
	buf, err := io.ReadAll(c.Conn)
	if err != nil {
		return err
	}
	return Marshaler{}.Unmarshal(buf, b)
}

// Write writes the message b and nothing else.
func (c *Codec) Write(_ *codec.Message, b any) error {
	buf, err := Marshaler{}.Marshal(b)
	if err != nil {
		return err
	}
	_, err = c.Conn.Write(buf)
	return err
}

// Close closes the connection.
func (c *Codec) Close() error { return c.Conn.Close() }

// String returns "proto".
func (c *Codec) String() string { return "proto" }
