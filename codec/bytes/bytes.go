// Package bytes is the codec that leaves bytes as they are.
package bytes

import (
	"fmt"
	"io"

	"github.com/rollcall-go/micro/codec"
)

// Frame is a body that is sent and received as it is, whatever the content type.
type Frame struct {
	Data []byte
}

// Codec reads and writes bodies of the types *[]byte, []byte (written only) and
// *Frame on a connection.
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

// ReadBody reads up to the end of the connection into b. A nil b drops what is
// read.
func (c *Codec) ReadBody(b any) error {
	if b == nil {
		_, err := io.Copy(io.Discard, c.Conn)
		return err
	}
	buf, err := io.ReadAll(c.Conn)
	if err != nil {
		return err
	}
	switch v := b.(type) {
	case *[]byte:
		*v = buf
	case *Frame:
		v.Data = buf
	default:
		return fmt.Errorf("read bytes into a %T, not a *[]byte or *bytes.Frame: %w", b, codec.ErrInvalidMessage)
	}
	return nil
}

// Write writes b and nothing else.
func (c *Codec) Write(_ *codec.Message, b any) error {
	var data []byte
	switch v := b.(type) {
	case *Frame:
		data = v.Data
	case *[]byte:
		data = *v
	case []byte:
		data = v
	default:
		return fmt.Errorf("write a %T, not a []byte, *[]byte or *bytes.Frame, as bytes: %w", b, codec.ErrInvalidMessage)
	}
	_, err := c.Conn.Write(data)
	return err
}

// Close closes the connection.
func (c *Codec) Close() error { return c.Conn.Close() }

// String returns "bytes".
func (c *Codec) String() string { return "bytes" }
