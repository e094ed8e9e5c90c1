package json

import (
	"bytes"
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/protomsg"
)

// Marshaler encodes and decodes JSON.
type Marshaler struct{}

var _ codec.Marshaler = Marshaler{}

// Marshal encodes v without blanks. The bytes belong to the caller.
func (Marshaler) Marshal(v any) ([]byte, error) {
	if _, own := v.(json.Marshaler); own {
		return json.Marshal(v)
	}
	m, ok := protomsg.Of(v)
	if !ok {
		return json.Marshal(v)
	}
	spaced, err := protojson.Marshal(m)
	if err != nil {
		return nil, err
	}
	// protojson strews blanks at random, on purpose.
	var b bytes.Buffer
	if err := json.Compact(&b, spaced); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Unmarshal decodes d, which it does not keep, into v. A field that a protobuf
// message does not have is an error.
func (Marshaler) Unmarshal(d []byte, v any) error {
	if _, own := v.(json.Unmarshaler); own {
		return json.Unmarshal(d, v)
	}
	if m, ok := protomsg.Of(v); ok {
		return protojson.Unmarshal(d, m)
	}
	return json.Unmarshal(d, v)
}

// String returns "json".
func (Marshaler) String() string { return "json" }
