package errors

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// ProtoName is the full name of the message that MarshalProto writes. The detail
// of a gRPC status is of this type.
const ProtoName = "errors.Error"

// The numbers of the message's fields.
const (
	fieldID     protowire.Number = 1
	fieldCode   protowire.Number = 2
	fieldDetail protowire.Number = 3
	fieldStatus protowire.Number = 4
)

// MarshalProto returns the error as a protobuf message, its type being ProtoName.
// The message is written here by hand because that name is taken, in a process
// that links go-micro v2 as well, and protobuf's registry takes a name once. What
// is not UTF-8 is replaced, since a reader would refuse all of the message.
func (e *Error) MarshalProto() []byte {
	var b []byte
	b = appendString(b, fieldID, e.GetId())
	if code := e.GetCode(); code != 0 {
		b = protowire.AppendTag(b, fieldCode, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(int64(code)))
	}
	b = appendString(b, fieldDetail, e.GetDetail())
	return appendString(b, fieldStatus, e.GetStatus())
}

func appendString(b []byte, num protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return protowire.AppendString(b, strings.ToValidUTF8(s, "\uFFFD"))
}

// UnmarshalProto replaces the error by the one in b, which it does not keep.
// Fields that it does not know are skipped. When it returns an error, e is as it
// was.
func (e *Error) UnmarshalProto(b []byte) error {
	var out Error
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("read message %q: %w", ProtoName, protowire.ParseError(n))
		}
		b = b[n:]
		if n = out.consume(num, typ, b); n < 0 {
			return fmt.Errorf("read field %d of message %q: %w", num, ProtoName, protowire.ParseError(n))
		}
		b = b[n:]
	}
	*e = out
	return nil
}

// consume reads the value of one field and returns its length, or what
// protowire.ParseError understands.
func (e *Error) consume(num protowire.Number, typ protowire.Type, b []byte) int {
	if num == fieldCode && typ == protowire.VarintType {
		v, n := protowire.ConsumeVarint(b)
		e.Code = int32(v)
		return n
	}
	if to := e.text(num); to != nil && typ == protowire.BytesType {
		v, n := protowire.ConsumeString(b)
		*to = v
		return n
	}
	return protowire.ConsumeFieldValue(num, typ, b)
}

// text returns the string field with the number, nil if there is none.
func (e *Error) text(num protowire.Number) *string {
	switch num {
	case fieldID:
		return &e.Id
	case fieldDetail:
		return &e.Detail
	case fieldStatus:
		return &e.Status
	default:
		return nil
	}
}

// GetId returns Id, empty for a nil error.
func (e *Error) GetId() string {
	if e == nil {
		return ""
	}
	return e.Id
}

// GetCode returns Code, 0 for a nil error.
func (e *Error) GetCode() int32 {
	if e == nil {
		return 0
	}
	return e.Code
}

// GetDetail returns Detail, empty for a nil error.
func (e *Error) GetDetail() string {
	if e == nil {
		return ""
	}
	return e.Detail
}

// GetStatus returns Status, empty for a nil error.
func (e *Error) GetStatus() string {
	if e == nil {
		return ""
	}
	return e.Status
}

// Reset empties the error.
func (e *Error) Reset() { *e = Error{} }

// String returns what Error returns.
func (e *Error) String() string { return e.Error() }

// ProtoMessage marks the error as a protobuf message of the first API, so that a
// message or a codec may carry it.
func (*Error) ProtoMessage() {}
