package proto

import (
	"encoding/json"

	"google.golang.org/protobuf/protoadapt"
)

// Message is a body that is encoded already. It passes for a protobuf message
// and for a JSON value: as either, it is Data.
type Message struct {
	Data []byte
}

var (
	_ protoadapt.MessageV1 = (*Message)(nil)
	_ json.Marshaler       = (*Message)(nil)
	_ json.Unmarshaler     = (*Message)(nil)
)

// NewMessage returns a Message that keeps data.
func NewMessage(data []byte) *Message {
	return &Message{Data: data}
}

// Marshal returns Data itself.
func (m *Message) Marshal() ([]byte, error) { return m.Data, nil }

// Unmarshal sets Data to a copy of data.
func (m *Message) Unmarshal(data []byte) error {
	m.Data = append([]byte(nil), data...)
	return nil
}

// MarshalJSON returns Data itself.
func (m *Message) MarshalJSON() ([]byte, error) { return m.Marshal() }

// UnmarshalJSON sets Data to a copy of data.
func (m *Message) UnmarshalJSON(data []byte) error { return m.Unmarshal(data) }

// ProtoMessage marks a protobuf message of the first API.
func (*Message) ProtoMessage() {}

// Reset empties the message.
func (m *Message) Reset() { *m = Message{} }

// String returns Data as text.
func (m *Message) String() string { return string(m.Data) }
