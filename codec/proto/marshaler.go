package proto

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/protomsg"
)

// Marshaler encodes and decodes protobuf messages.
type Marshaler struct{}

var _ codec.Marshaler = Marshaler{}

// Marshal encodes the message v. The bytes belong to the caller.
func (Marshaler) Marshal(v any) ([]byte, error) {
	m, ok := protomsg.Of(v)
	if !ok {
		return nil, fmt.Errorf("marshal a %T, no protobuf message: %w", v, codec.ErrInvalidMessage)
	}
	return proto.Marshal(m)
}

// Unmarshal replaces the content of the message v by that of data, which it does
// not keep.
func (Marshaler) Unmarshal(data []byte, v any) error {
	m, ok := protomsg.Of(v)
	if !ok {
		return fmt.Errorf("unmarshal into a %T, no protobuf message: %w", v, codec.ErrInvalidMessage)
	}
	return proto.Unmarshal(data, m)
}

// String returns "proto".
func (Marshaler) String() string { return "proto" }
