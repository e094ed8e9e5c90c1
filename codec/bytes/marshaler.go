package bytes

import (
	"fmt"

	"github.com/rollcall-go/micro/codec"
)

// Message is a body that a Marshaler passes through, with headers that it leaves
// alone.
type Message struct {
	Header map[string]string
	Body   []byte
}

// Marshaler passes bytes through without copying: what goes in and what comes out
// share their memory.
type Marshaler struct{}

var _ codec.Marshaler = Marshaler{}

// Marshal returns the bytes of v, a []byte, *[]byte, *Message or *Frame.
func (Marshaler) Marshal(v any) ([]byte, error) {
	switch v := v.(type) {
	case []byte:
		return v, nil
	case *[]byte:
		return *v, nil
	case *Message:
		return v.Body, nil
	case *Frame:
		return v.Data, nil
	default:
		return nil, fmt.Errorf("marshal a %T as bytes: %w", v, codec.ErrInvalidMessage)
	}
}

// Unmarshal makes d the content of v, a *[]byte, *Message or *Frame.
func (Marshaler) Unmarshal(d []byte, v any) error {
	switch v := v.(type) {
	case *[]byte:
		*v = d
	case *Message:
		v.Body = d
	case *Frame:
		v.Data = d
	default:
		return fmt.Errorf("unmarshal bytes into a %T: %w", v, codec.ErrInvalidMessage)
	}
	return nil
}

// String returns "bytes".
func (Marshaler) String() string { return "bytes" }
