// Package text is the codec of text, which is sent as it is.
package text

import (
	"fmt"
	"io"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/frame"
)

// MaxMessageSize is the longest text that is read, in bytes. It belongs to the program.
var MaxMessageSize = 16 << 20

// Frame is a text as bytes.
type Frame struct {
	Data []byte
}

// Codec reads and writes bodies of the types *string, *[]byte and *Frame, and writes string
// and []byte.
type Codec struct {
	Conn io.ReadWriteCloser
}

var _ codec.Codec = (*Codec)(nil)

// NewCodec returns a Codec on the connection.
func NewCodec(c io.ReadWriteCloser) codec.Codec { return &Codec{Conn: c} }

// ReadHeader does nothing: there is no header.
func (c *Codec) ReadHeader(*codec.Message, codec.MessageType) error { return nil }

// ReadBody reads up to the end of the connection into b. A nil b drops what is read.
func (c *Codec) ReadBody(b any) error {
	buf, err := frame.ReadAll(c.Conn, MaxMessageSize)
	if err != nil {
		return fmt.Errorf("read text: %w", err)
	}
	switch v := b.(type) {
	case nil:
	case *string:
		*v = string(buf)
	case *[]byte:
		*v = buf
	case *Frame:
		v.Data = buf
	default:
		return fmt.Errorf("read text into a %T, not a *string, *[]byte or *text.Frame: %w", b, codec.ErrInvalidMessage)
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
	case *string:
		data = []byte(*v)
	case string:
		data = []byte(v)
	case []byte:
		data = v
	default:
		return fmt.Errorf("write a %T, not a string, []byte, a pointer to one or a *text.Frame, as text: %w", b, codec.ErrInvalidMessage)
	}
	_, err := c.Conn.Write(data)
	return err
}

// Close closes the connection.
func (c *Codec) Close() error { return c.Conn.Close() }

// String returns "text".
func (c *Codec) String() string { return "text" }
