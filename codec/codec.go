// Package codec is the contract between the framework and whatever turns values
// into bytes. Implementations are in the packages below it.
package codec

import (
	"errors"
	"io"
)

// MessageType tells what a Message is.
type MessageType int

const (
	// Error is a message that reports a failure.
	Error MessageType = iota
	// Request asks for something.
	Request
	// Response answers a Request.
	Response
	// Event is published, with no answer expected.
	Event
)

// ErrInvalidMessage is returned, possibly wrapped, when a codec is given a value
// of a type that it cannot encode or decode.
var ErrInvalidMessage = errors.New("invalid message")

// NewCodec makes a codec that reads from and writes to a connection, which the
// codec owns from then on.
type NewCodec func(io.ReadWriteCloser) Codec

// Codec encodes and decodes messages on one connection. ReadHeader and ReadBody
// are called in pairs. It is used by one goroutine at a time; Close ends its use
// and closes the connection.
type Codec interface {
	Reader
	Writer
	Close() error
	String() string
}

// Reader decodes what arrives.
type Reader interface {
	// ReadHeader fills in the message from the head of what arrives next.
	ReadHeader(*Message, MessageType) error
	// ReadBody decodes the body into the value, a pointer. Nil drops the body.
	ReadBody(any) error
}

// Writer encodes what is sent.
type Writer interface {
	// Write sends the message with the value as its body.
	Write(*Message, any) error
}

// Marshaler encodes and decodes single values. Its methods may be called from
// any goroutine.
type Marshaler interface {
	Marshal(any) ([]byte, error)
	Unmarshal([]byte, any) error
	// String names the format.
	String() string
}

// Message is what is known of a message beside its body's value.
type Message struct {
	Id       string
	Type     MessageType
	Target   string
	Method   string
	Endpoint string
	// Error is the text of a failure; the body may be nil then.
	Error string

	// Header and Body are as they were read.
	Header map[string]string
	Body   []byte
}
